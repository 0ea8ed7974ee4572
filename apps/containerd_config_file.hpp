#pragma once
#include <filesystem>
#include <string>

#include "config/install_limits.hpp"
#include "model/containerd_config.hpp"

/// containerd's config file on the disk, and the check of an edit by a real TOML parser.
namespace firstlight {

/// The file's text; empty if there is none. Errors: `io`, `denied`, `limit_exceeded`.
[[nodiscard]] result<std::string> read_containerd_config(const std::filesystem::path& file,
                                                         const install_limits& limits);

/// Whether `after` is TOML that differs from `before` in nothing but the snapshotter's values, and says all
/// of `settings`. Errors: `invalid_argument` if `before` is no TOML; `failed_precondition` if the edit is not
/// one that can be made safely.
[[nodiscard]] result<void> check_containerd_edit(std::string_view before, const containerd_edit& edit,
                                                 const std::string& snapshotter);

/// Puts the text in the file's place in one step; a crash leaves the one or the other. Mode and owner stay, a
/// link stays a link; a new file has mode 0644, and its folder is made. An empty text removes the file.
/// @returns where the file as it was is kept; empty if there was none. Errors: `io`, `denied`, `no_space`.
[[nodiscard]] result<std::filesystem::path> write_containerd_config(const std::filesystem::path& file,
                                                                    std::string_view text);

}  // namespace firstlight
