#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "schemas/toc.hpp"

namespace firstlight {

/// Builds small images by hand: files by path, in any order. Parents are made when they are missing.
class image_builder {
 public:
  image_builder();

  /// Each returns the inode to change further; the reference is valid until the next call.
  image_inode& directory(const std::string& path, std::uint16_t permissions = 0755);
  image_inode& file(const std::string& path, std::string bytes, std::uint16_t permissions = 0644);
  image_inode& symlink(const std::string& path, std::string target);
  image_inode& device(const std::string& path, file_type type, std::uint32_t major, std::uint32_t minor);
  void hard_link(const std::string& path, const std::string& existing);
  image_inode& root() { return nodes_.front().inode; }
  /// From now on equal contents are one and the same in all images that say so, and no others. Else contents
  /// of two images are the same that have the same number.
  void name_contents_by_bytes() { named_by_bytes_ = true; }

  struct built {
    std::shared_ptr<const toc_view> toc;
    std::vector<std::string> bytes;  ///< of each content of the TOC
  };
  /// Link counts, inode order and content table are computed here.
  [[nodiscard]] built build() const;
  /// The same, but the TOC's contents are still to be learnt, from what is second.
  [[nodiscard]] std::pair<built, std::vector<std::byte>> build_tree() const;

 private:
  struct node {
    image_inode inode;
    std::string bytes;
    std::map<std::string, std::size_t> children;
  };
  std::size_t add(const std::string& path, image_inode inode);
  std::size_t find(const std::string& path) const;

  std::vector<node> nodes_;
  bool named_by_bytes_ = false;
};

/// `bytes` bytes that differ from block to block and from seed to seed.
[[nodiscard]] std::string patterned_bytes(std::size_t bytes, std::uint32_t seed);

}  // namespace firstlight
