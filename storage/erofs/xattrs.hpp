#pragma once
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "schemas/toc.hpp"
#include "storage/early_name.hpp"
#include "storage/erofs/format.hpp"

namespace firstlight::erofs {

enum class sharing : std::uint8_t { allowed, never };

/// One extended attribute as an image stores it: the name is a number for its beginning, then `infix` and
/// `name`. Equal attributes have equal fields. Views are of the TOC, of literals, or of the `inode_xattrs`
/// that gave it.
struct stored_xattr {
  std::uint8_t prefix = 0;
  sharing shared = sharing::allowed;
  std::string_view infix;
  std::string_view name;
  std::string_view value;

  /// Of entry, name, value and padding.
  [[nodiscard]] std::uint32_t bytes() const {
    return static_cast<std::uint32_t>(
        rounded_up(sizeof(xattr_entry) + infix.size() + name.size() + value.size(), 4));
  }
  [[nodiscard]] bool same_name(const stored_xattr& other) const {
    return prefix == other.prefix && infix == other.infix && name == other.name;
  }
  friend bool operator==(const stored_xattr&, const stored_xattr&) = default;
};

/// How an attribute of the image is stored below an overlayfs; nothing if Linux shows no such attribute of a
/// file of this type, so that no unpacked image has it either: another prefix than user, trusted, security
/// and POSIX ACLs; user attributes of anything but files and directories; ACLs of symlinks.
[[nodiscard]] std::optional<stored_xattr> stored_form(const xattr_view& attribute, file_type of);

/// Whether overlayfs would take this inode for a whiteout, and hide it and all of its name: device 0:0.
[[nodiscard]] inline bool is_whiteout(const inode_view& inode) {
  return inode.type == file_type::character_device && inode.device_major == 0 && inode.device_minor == 0;
}

/// What one inode stores. One object serves inode after inode; what it returns lasts until the next call.
class inode_xattrs {
 public:
  /// `toc_mark` is `mark_of` the TOC's id: of early names (storage/early_name.hpp). Without it contents get
  /// no names, but the room for them.
  explicit inode_xattrs(const toc_view& toc, std::optional<std::uint32_t> toc_mark = {})
      : toc_(toc), toc_mark_(toc_mark) {}

  enum class holds_whiteouts : std::uint8_t { no, yes };
  /// Whether nothing but where its contents are is stored of this inode: so it is with most files.
  [[nodiscard]] static bool only_contents(const inode_view& inode) {
    return has_contents(inode) && inode.xattr_count == 0;
  }
  /// By which overlayfs finds the contents of an inode that has some: the value of its last own mark. Lasts
  /// until the next call of either.
  [[nodiscard]] std::string_view redirect_of(const inode_view& inode) {
    if (toc_mark_) name_contents(inode.content);
    return {redirect_.data(), redirect_.size()};
  }
  /// Whether nothing is stored.
  [[nodiscard]] static bool nothing(const inode_view& inode, holds_whiteouts directory) {
    return !has_contents(inode) && inode.xattr_count == 0 && directory == holds_whiteouts::no &&
           !is_whiteout(inode);
  }
  /// The image's attributes in their order, behind the marks by which overlayfs finds the contents of a file
  /// (its early name while the contents are not known), or by which a nested overlayfs knows a whiteout.
  const std::vector<stored_xattr>& gather(const inode_view& inode, holds_whiteouts directory);

  /// Of the inode of the last call: how many attributes Linux would not show.
  [[nodiscard]] std::uint32_t left_out() const { return left_out_; }

 private:
  [[nodiscard]] static bool has_contents(const inode_view& inode) {
    return inode.type == file_type::regular && inode.content != image_inode::no_content;
  }
  void mark_contents(const inode_view& inode);
  void name_contents(std::uint32_t content);
  void mark_whiteouts(const inode_view& inode, holds_whiteouts directory);
  void add_mark(const stored_xattr& mark);

  const toc_view& toc_;
  std::optional<std::uint32_t> toc_mark_;
  std::array<char, 1 + content_name::bytes> redirect_{};
  std::vector<stored_xattr> found_;
  std::uint32_t left_out_ = 0;
};

/// Attributes that stand once in an image for several inodes, or that are large. First all are counted, then
/// `settle` decides, then they can be found.
class shared_xattrs {
 public:
  void count(const stored_xattr& attribute);
  /// The order is that of the first count: equal images, equal areas.
  void settle();

  /// Where the entry stands, in bytes from the begin of the area; nothing if it is not shared.
  [[nodiscard]] std::optional<std::uint64_t> find(const stored_xattr& attribute) const;
  [[nodiscard]] const std::vector<stored_xattr>& entries() const { return entries_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  struct hash {
    std::size_t operator()(const stored_xattr& attribute) const {
      const std::hash<std::string_view> text;
      return text(attribute.name) * 31 + text(attribute.value);
    }
  };
  struct use {
    std::uint64_t count = 0;
    std::optional<std::uint64_t> offset;
  };
  std::unordered_map<stored_xattr, use, hash> uses_;
  std::vector<stored_xattr> entries_;  // until settled: all that have been counted
  std::uint64_t bytes_ = 0;
};

/// Tells apart what one inode refers to (`on_shared(offset)`, at most `shared_xattrs_max` times) and what it
/// stores itself (`on_own(attribute)`), each in order.
template <class OnShared, class OnOwn>
void spread(const std::vector<stored_xattr>& attributes, const shared_xattrs& shared, OnShared on_shared,
            OnOwn on_own) {
  std::uint32_t references = 0;
  for (const auto& attribute : attributes) {
    const bool never = attribute.shared == sharing::never || references >= shared_xattrs_max;
    const auto offset = never ? std::nullopt : shared.find(attribute);
    if (offset) {
      ++references;
      on_shared(*offset);
    } else {
      on_own(attribute);
    }
  }
}

}  // namespace firstlight::erofs
