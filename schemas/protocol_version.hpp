#pragma once
#include <cstdint>

namespace firstlight {

/// Raised when a message of protocol.capnp changes its meaning; new fields alone do not raise it.
inline constexpr std::uint32_t protocol_version = 3;

}  // namespace firstlight
