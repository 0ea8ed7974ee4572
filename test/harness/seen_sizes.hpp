#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace firstlight {

/// What a mount says of the sizes that no file of the image has by itself.
struct seen_sizes {
  struct of_directory {
    std::uint64_t bytes = 0;    ///< st_size
    std::uint64_t sectors = 0;  ///< st_blocks
    friend bool operator==(const of_directory&, const of_directory&) = default;
  };
  std::map<std::string, of_directory> directories;  ///< by path from the root, which is "."

  // The file system's, by statfs(2).
  std::uint64_t blocks = 0;
  std::uint64_t block_bytes = 0;
  std::uint64_t free_blocks = 0;
  std::uint64_t used_inodes = 0;
  std::uint64_t name_bytes_max = 0;

  friend bool operator==(const seen_sizes&, const seen_sizes&) = default;
};

/// Throws std::system_error.
[[nodiscard]] seen_sizes see_sizes(const std::filesystem::path& root);

}  // namespace firstlight
