#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "fuse_bridge/writable/layer_tree.hpp"
#include "fuse_bridge/writable/os_result.hpp"

namespace firstlight {

/// NUMBERS THAT FILES OF A LAYER SAY THEMSELVES, as layer_mark::inode: the inode of the image that one was
/// promoted from, or a number above those where its inode on the disk does not tell it. So the kernel knows a
/// file by the same number whichever process answers. Immutable.
class noted_numbers {
 public:
  /// `toc_mark` is `mark_of` the TOC: numbers of another image are none.
  explicit noted_numbers(std::uint32_t toc_mark) : prefix_(std::to_string(toc_mark) + ":") {}

  /// Nothing if it says none.
  [[nodiscard]] std::optional<node_number> find(const std::string& file) const;
  [[nodiscard]] os_result<void> set(const std::string& file, node_number number) const;
  /// Of an open file.
  [[nodiscard]] os_result<void> set(int file, node_number number) const;

 private:
  std::string prefix_;
};

}  // namespace firstlight
