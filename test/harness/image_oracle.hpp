#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/image_tree.hpp"

namespace firstlight {

/// What is compared of one path.
struct observed_file {
  std::uint32_t mode = 0;  ///< st_mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint64_t links = 0;
  std::uint64_t size = 0;  ///< regular files and symlinks, else 0
  timestamp modified;
  std::string target;        ///< symlinks
  std::string linked_with;   ///< first path, in order, of the hard-link group; directories: ""
  std::uint64_t device = 0;  ///< major << 20 | minor, devices only
  std::string sha256;        ///< hexadecimal, regular files only
  std::vector<xattr> xattrs;
};
/// By path from the root, which is "."; bytes.
using observed_tree = std::map<std::string, observed_file>;

/// Reads a folder with lstat, readlink, listxattr and SHA-256. Throws std::system_error.
[[nodiscard]] observed_tree observe_folder(const std::filesystem::path& folder);

using content_reader =
    std::function<result<std::size_t>(const content_info&, std::uint64_t offset, std::span<std::byte> into)>;
/// The same of a tree whose contents `read` gives. Throws std::runtime_error.
[[nodiscard]] observed_tree observe_tree(const image_tree& tree, const content_reader& read);

struct oracle_options {
  /// An expected time from this second on is the time of unpacking, which nothing can reproduce: not
  /// compared.
  std::int64_t unpacked_since = INT64_MAX;
  bool directory_links = true;  ///< kernels answer 1 for the directories of some file systems
};
/// One line for each difference; empty if equal.
[[nodiscard]] std::vector<std::string> differences(const observed_tree& expected, const observed_tree& actual,
                                                   const oracle_options& options = {});

}  // namespace firstlight
