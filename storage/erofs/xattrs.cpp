#include "storage/erofs/xattrs.hpp"

#include <algorithm>

#include "model/overlay_names.hpp"

namespace firstlight::erofs {
namespace {

constexpr std::string_view access_acl_name = "system.posix_acl_access";
constexpr std::string_view default_acl_name = "system.posix_acl_default";
constexpr std::string_view trusted = "trusted.";
constexpr std::string_view own_infix = overlay_mark_prefix.substr(trusted.size());
constexpr std::string_view escaped_infix = escaped_mark_prefix.substr(trusted.size());

/// From here on a single use is reason enough: an inode's own area has 256 KiB.
constexpr std::size_t large_value_bytes = 1024;

struct named_prefix {
  std::string_view text;
  std::uint8_t number;
};
constexpr named_prefix prefixes[] = {
    {"user.", xattr_prefix::user}, {trusted, xattr_prefix::trusted}, {"security.", xattr_prefix::security}};

bool may_have_user_xattrs(file_type type) {
  return type == file_type::regular || type == file_type::directory;
}

std::optional<stored_xattr> stored_acl(const xattr_view& attribute, file_type of) {
  if (of == file_type::symlink) return std::nullopt;
  const auto number =
      attribute.name == access_acl_name ? xattr_prefix::access_acl : xattr_prefix::default_acl;
  return stored_xattr{number, sharing::allowed, {}, {}, attribute.value};
}

}  // namespace

std::optional<stored_xattr> stored_form(const xattr_view& attribute, file_type of) {
  if (attribute.name == access_acl_name || attribute.name == default_acl_name)
    return stored_acl(attribute, of);
  if (is_overlay_mark(attribute.name))
    return stored_xattr{xattr_prefix::trusted, sharing::allowed, escaped_infix,
                        overlay_mark_suffix(attribute.name), attribute.value};
  for (const auto& [text, number] : prefixes) {
    if (!attribute.name.starts_with(text) || attribute.name.size() == text.size()) continue;
    if (number == xattr_prefix::user && !may_have_user_xattrs(of)) return std::nullopt;
    return stored_xattr{number, sharing::allowed, {}, attribute.name.substr(text.size()), attribute.value};
  }
  return std::nullopt;
}

const std::vector<stored_xattr>& inode_xattrs::gather(const inode_view& inode, holds_whiteouts directory) {
  found_.clear();
  left_out_ = 0;
  if (has_contents(inode)) mark_contents(inode);
  const auto type = is_whiteout(inode) ? file_type::regular : inode.type;
  for (std::uint32_t position = 0; position < inode.xattr_count; ++position) {
    if (const auto stored = stored_form(toc_.xattribute(inode, position), type))
      found_.push_back(*stored);
    else
      ++left_out_;
  }
  mark_whiteouts(inode, directory);
  return found_;
}

void inode_xattrs::name_contents(std::uint32_t content) {
  redirect_[0] = '/';
  if (toc_.contents_known()) {
    const content_name name(toc_.content(content).id);
    std::copy(name.view().begin(), name.view().end(), redirect_.begin() + 1);
  } else {
    const auto name = early_name({*toc_mark_, content});
    std::copy(name.begin(), name.end(), redirect_.begin() + 1);
  }
}

// Neither is shared: metacopy's 20 bytes fit into the slot that the redirect begins, so sharing it would save
// nothing and make the kernel look into a second block.
void inode_xattrs::mark_contents(const inode_view& inode) {
  found_.push_back({xattr_prefix::trusted, sharing::never, own_infix, "metacopy", {}});
  found_.push_back({xattr_prefix::trusted, sharing::never, own_infix, "redirect", redirect_of(inode)});
}

// A whiteout as a marked file, and its directory as one that holds such: Linux 6.8 and later, see
// overlayfs.rst, "Nesting overlayfs mounts". The user marks are for overlays that are mounted without
// privileges.
void inode_xattrs::mark_whiteouts(const inode_view& inode, holds_whiteouts directory) {
  if (is_whiteout(inode)) {
    add_mark({xattr_prefix::trusted, sharing::allowed, escaped_infix, "whiteout", {}});
    add_mark({xattr_prefix::user, sharing::allowed, {}, "overlay.whiteout", {}});
  }
  if (directory == holds_whiteouts::yes) {
    add_mark({xattr_prefix::trusted, sharing::allowed, escaped_infix, "opaque", "x"});
    add_mark({xattr_prefix::user, sharing::allowed, {}, "overlay.opaque", "x"});
  }
}

void inode_xattrs::add_mark(const stored_xattr& mark) {
  const auto same = [&](const stored_xattr& other) { return other.same_name(mark); };
  if (std::none_of(found_.begin(), found_.end(), same)) found_.push_back(mark);
}

void shared_xattrs::count(const stored_xattr& attribute) {
  if (attribute.shared == sharing::never) return;
  const auto [place, is_new] = uses_.try_emplace(attribute);
  ++place->second.count;
  if (is_new) entries_.push_back(attribute);
}

void shared_xattrs::settle() {
  std::vector<stored_xattr> kept;
  for (const auto& attribute : entries_) {
    auto& known = uses_.at(attribute);
    if (known.count < 2 && attribute.value.size() < large_value_bytes) continue;
    known.offset = bytes_;
    bytes_ += attribute.bytes();
    kept.push_back(attribute);
  }
  entries_ = std::move(kept);
}

std::optional<std::uint64_t> shared_xattrs::find(const stored_xattr& attribute) const {
  if (attribute.shared == sharing::never) return std::nullopt;
  const auto found = uses_.find(attribute);
  return found == uses_.end() ? std::nullopt : found->second.offset;
}

}  // namespace firstlight::erofs
