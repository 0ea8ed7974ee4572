#include <algorithm>
#include <bit>

#include "schemas/toc_lists_codec.hpp"
#include "schemas/toc_mode.hpp"

namespace firstlight {
namespace {

tl::unexpected<error> broken(const std::string& what) {
  return fail(errc::corrupt, "table of contents: " + what);
}

/// One pass over a message. Each member checks one list; inodes come before what refers to them.
struct toc_check {
  const toc_lists& lists;
  std::vector<bool> seen;            // inodes that an entry names
  std::vector<std::uint64_t> sizes;  // of the contents that files have named so far

  [[nodiscard]] bool in_names(std::uint64_t offset, std::uint64_t length) const {
    return offset + length <= lists.names.size();
  }
  [[nodiscard]] file_type type_of(inode_number number) const {
    return *type_of_mode(lists.inodes[number - 1].mode);
  }

  result<void> check_header() const {
    const auto block = lists.toc.getBlockBytes();
    if (!std::has_single_bit(block) || block < 4096 || block > (1U << 20U)) return broken("odd block size");
    if (lists.inodes.size() == 0 || lists.directories.size() == 0) return broken("there is no root");
    const auto root = lists.inodes[0];
    const auto type = type_of_mode(root.mode);
    if (type != file_type::directory || root.detail != 0) return broken("the root is no directory");
    if (lists.directories[0].parent != root_inode) return broken("the root has another parent");
    return {};
  }

  result<void> check_inodes() {
    std::uint64_t next_xattr = 0;
    for (std::uint32_t i = 0; i < lists.inodes.size(); ++i) {
      const auto inode = lists.inodes[i];
      if (!type_of_mode(inode.mode)) return broken("unknown file type");
      if (inode.nanoseconds >= 1'000'000'000) return broken("odd modification time");
      if (inode.links == 0) return broken("an inode without links");
      if (inode.xattr_first != next_xattr) return broken("xattrs are not contiguous");
      next_xattr += inode.xattr_count;
      if (auto checked = check_detail(inode, i + 1); !checked) return checked;
      if (auto checked = check_xattrs(inode); !checked) return checked;
    }
    if (next_xattr != lists.xattrs.size()) return broken("xattrs of no inode");
    return {};
  }

  result<void> check_detail(const inode_row& inode, inode_number number) {
    const auto detail = inode.detail;
    switch (*type_of_mode(inode.mode)) {
      case file_type::regular:
        return check_content(inode);
      case file_type::directory:
        if (detail >= lists.directories.size() || lists.directories[detail].inode != number)
          return broken("an inode names another one's directory");
        return {};
      case file_type::symlink:
        return check_target(inode);
      case file_type::fifo:
        return detail == 0 ? result<void>{} : broken("a fifo with detail");
      case file_type::character_device:
      case file_type::block_device:
        return {};
    }
    return {};
  }

  result<void> check_content(const inode_row& inode) {
    const auto content = inode.detail;
    const auto size = inode.size;
    if (content == image_inode::no_content)
      return size == 0 ? result<void>{} : broken("a file of some size without content");
    if (size == 0 || size > content_bytes_max) return broken("odd content size");
    if (content > sizes.size()) return broken("contents are not in order of use");
    if (content == sizes.size()) sizes.push_back(size);
    return sizes[content] == size ? result<void>{} : broken("a content of two sizes");
  }

  result<void> check_target(const inode_row& inode) const {
    const auto size = inode.size;
    if (size == 0 || size > symlink_bytes_max || !in_names(inode.detail, size))
      return broken("odd symlink target");
    const auto target = lists.text(inode.detail, static_cast<std::uint32_t>(size));
    return target.find('\0') == std::string_view::npos ? result<void>{} : broken("NUL in a symlink target");
  }

  result<void> check_xattrs(const inode_row& inode) const {
    if (std::uint64_t{inode.xattr_first} + inode.xattr_count > lists.xattrs.size())
      return broken("xattrs past the end");
    std::string_view previous;
    for (std::uint32_t i = 0; i < inode.xattr_count; ++i) {
      const auto each = lists.xattrs[inode.xattr_first + i];
      if (each.name_length == 0 || each.name_length > name_bytes_max ||
          each.value_length > xattr_value_bytes_max || !in_names(each.name_offset, each.name_length) ||
          !in_names(each.value_offset, each.value_length))
        return broken("odd xattr");
      const auto name = lists.text(each.name_offset, each.name_length);
      if (name.find('\0') != std::string_view::npos) return broken("NUL in the name of an xattr");
      if (i > 0 && name <= previous) return broken("xattrs are not sorted");
      previous = name;
    }
    return {};
  }

  result<void> check_directories() {
    std::uint64_t next = 0;
    for (std::uint32_t i = 0; i < lists.directories.size(); ++i) {
      const auto directory = lists.directories[i];
      const auto number = directory.inode;
      if (number == 0 || number > lists.inodes.size() || type_of(number) != file_type::directory ||
          lists.inodes[number - 1].detail != i)
        return broken("a directory without its inode");
      if (directory.first != next || next + directory.count > lists.entries.size())
        return broken("entries are not contiguous");
      next += directory.count;
      if (auto checked = check_entries(directory); !checked) return checked;
    }
    return next == lists.entries.size() ? result<void>{} : broken("entries of no directory");
  }

  result<void> check_entries(const directory_row& directory) {
    std::string_view previous;
    for (std::uint32_t i = 0; i < directory.count; ++i) {
      const auto entry = lists.entries[directory.first + i];
      if (!in_names(entry.name_offset, entry.name_length)) return broken("a name past the end");
      const auto name = lists.text(entry.name_offset, entry.name_length);
      if (!is_file_name(name)) return broken("odd file name");
      if (i > 0 && name <= previous) return broken("entries are not sorted");
      previous = name;
      if (auto checked = check_child(directory.inode, entry.inode); !checked) return checked;
    }
    return {};
  }

  static bool is_file_name(std::string_view name) {
    const auto has = [&](char one) { return name.find(one) != std::string_view::npos; };
    return !name.empty() && name.size() <= name_bytes_max && name != "." && name != ".." && !has('/') &&
           !has('\0');
  }

  /// A directory has one place, below a directory of a smaller number: so there is no cycle, and
  /// what has been seen is reachable.
  result<void> check_child(inode_number parent, inode_number child) {
    if (child <= root_inode || child > lists.inodes.size()) return broken("an entry without inode");
    if (type_of(child) == file_type::directory) {
      if (seen[child - 1] || child <= parent) return broken("a directory in two places or in a cycle");
      if (lists.directories[lists.inodes[child - 1].detail].parent != parent)
        return broken("a directory names another parent");
    }
    seen[child - 1] = true;
    return {};
  }

  [[nodiscard]] result<void> check_all_seen() const {
    return std::find(seen.begin() + 1, seen.end(), false) == seen.end() ? result<void>{}
                                                                        : broken("an inode is not reachable");
  }
};

}  // namespace

result<std::vector<std::uint64_t>> validate_toc(const toc_lists& lists) {
  toc_check check{lists, {}, {}};
  auto checked = check.check_header().and_then([&] { return check.check_inodes(); });
  if (!checked) return tl::unexpected(checked.error());
  check.seen.resize(lists.inodes.size());
  checked = check.check_directories().and_then([&] { return check.check_all_seen(); });
  if (!checked) return tl::unexpected(checked.error());
  return std::move(check.sizes);
}

}  // namespace firstlight
