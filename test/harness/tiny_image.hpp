#pragma once
#include <map>
#include <string>

#include "model/image_tree.hpp"
#include "model/result.hpp"

namespace firstlight {

/// A small image made by hand: a tree and the bytes of its files. Parents are made as needed.
class tiny_image {
 public:
  tiny_image();

  /// `path` without leading '/'. @returns the inode.
  std::uint32_t file(const std::string& path, const std::string& text, std::uint16_t permissions = 0644);
  std::uint32_t file(const std::string& path, const std::vector<std::byte>& bytes,
                     std::uint16_t permissions = 0755);
  std::uint32_t symlink(const std::string& path, const std::string& target);
  std::uint32_t folder(const std::string& path);

  [[nodiscard]] const image_tree& tree() const { return tree_; }
  /// Reads exactly `length` bytes of a content. Errors: `not_found`.
  [[nodiscard]] result<std::vector<std::byte>> read(const content_info& content, std::uint64_t offset,
                                                    std::uint32_t length) const;
  /// The content index of the file at `path`, no symlinks followed.
  [[nodiscard]] std::uint32_t content(const std::string& path) const;

 private:
  std::uint32_t add(const std::string& path, image_inode inode);

  image_tree tree_;
  std::map<std::string, std::uint32_t> inodes_;   ///< by path
  std::map<std::uint32_t, std::size_t> folders_;  ///< inode to position in directories
  std::map<content_id, std::vector<std::byte>> bytes_;
};

}  // namespace firstlight
