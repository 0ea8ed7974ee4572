#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "model/result.hpp"

namespace firstlight {

/// The text of a regular file, nothing if there is none. It may hold secrets: who takes it wipes it.
/// Errors: `io`, `denied`, `limit_exceeded` above `bytes_max`.
[[nodiscard]] result<std::optional<std::string>> read_small_file(const std::filesystem::path& path,
                                                                 std::uint32_t bytes_max);

}  // namespace firstlight
