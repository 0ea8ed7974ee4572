#pragma once
#include "model/bytes.hpp"
#include "model/trace.hpp"

namespace firstlight {

/// A trace as bytes of schemas/trace.capnp. Equal traces give equal bytes.
[[nodiscard]] std::vector<std::byte> encode_trace(const trace& recorded);
/// What it says is still to be checked by `check_trace`. Errors: `corrupt`.
[[nodiscard]] result<trace> decode_trace(bytes_view message);

}  // namespace firstlight
