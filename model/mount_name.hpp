#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "model/image_reference.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Longest name of a mount: it becomes a file name.
inline constexpr std::size_t mount_name_bytes_max = 200;

/// Checks a name that a user gave: 1 to 200 of [A-Za-z0-9._-], not starting with '.' or '-'.
/// Errors: `invalid_argument`.
[[nodiscard]] result<std::string> check_mount_name(std::string_view name);

/// A name for a mount that got none: the last part of the repository (or of the path) and a number, e.g.
/// "redis-3"; always one that `check_mount_name` accepts.
[[nodiscard]] std::string make_mount_name(const image_reference& reference, std::uint64_t number);

}  // namespace firstlight
