#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "model/image_tree.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Where a path led: an inode and the directory inode that holds its last name.
struct tree_location {
  std::uint32_t inode = 0;
  std::uint32_t directory = 0;
  friend bool operator==(const tree_location&, const tree_location&) = default;
};

/// Finds files of one image by path, as a process inside the container would. Keeps a reference to the tree,
/// which must outlive it and not change. Every member may be called from any thread at once.
class tree_paths {
 public:
  explicit tree_paths(const image_tree& tree);

  /// How often one look-up may follow a symlink, as Linux does.
  static constexpr int symlinks_max = 40;
  /// Longest path, symlink targets included.
  static constexpr std::size_t path_bytes_max = 4096;

  /// What is at `path`, all symlinks followed, the last one too. A path without leading '/' starts at the
  /// directory inode `from`; ".." stops at the root.
  /// Errors: `not_found` (also when a parent is no directory), `invalid_argument` if too long,
  /// `limit_exceeded` for too many symlinks.
  [[nodiscard]] result<tree_location> locate(std::string_view path, std::uint32_t from = 0) const;

  /// The same for a regular file that has bytes. Errors: also `not_found` for other types and empty files.
  [[nodiscard]] result<tree_location> locate_file(std::string_view path, std::uint32_t from = 0) const;

  /// The directory at an inode; nothing if it is none.
  [[nodiscard]] const image_directory* directory(std::uint32_t inode) const;

  /// The entry of that name.
  [[nodiscard]] std::optional<std::uint32_t> lookup(const image_directory& in, std::string_view name) const;

  [[nodiscard]] const image_tree& tree() const { return tree_; }

 private:
  static constexpr std::uint32_t no_directory = 0xffffffff;
  const image_tree& tree_;
  std::vector<std::uint32_t> directory_of_;  ///< by inode
};

}  // namespace firstlight
