#include "fuse_bridge/writable/noted_numbers.hpp"

#include <sys/xattr.h>

#include <array>
#include <charconv>

#include "fuse_bridge/writable/layer_marks.hpp"

namespace firstlight {

std::optional<node_number> noted_numbers::find(const std::string& file) const {
  std::array<char, 64> value{};  // two numbers have at most 31 characters
  const auto bytes = lgetxattr(file.c_str(), layer_mark::inode, value.data(), value.size());
  if (bytes < 0) return std::nullopt;
  const std::string_view text(value.data(), static_cast<std::size_t>(bytes));
  if (!text.starts_with(prefix_)) return std::nullopt;
  node_number number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + prefix_.size(), end, number);
  const bool whole = read.ec == std::errc{} && read.ptr == end;
  return whole && number >= root_inode ? std::optional(number) : std::nullopt;
}

os_result<void> noted_numbers::set(const std::string& file, node_number number) const {
  const auto text = prefix_ + std::to_string(number);
  return outcome_of(lsetxattr(file.c_str(), layer_mark::inode, text.data(), text.size(), 0));
}

os_result<void> noted_numbers::set(int file, node_number number) const {
  const auto text = prefix_ + std::to_string(number);
  return outcome_of(fsetxattr(file, layer_mark::inode, text.data(), text.size(), 0));
}

}  // namespace firstlight
