#include "model/overlay_merge.hpp"

#include <algorithm>
#include <deque>

#include "model/image_path.hpp"
#include "model/merge_tree.hpp"
#include "model/overlay_names.hpp"

namespace firstlight {
namespace {

using detail::merge_tree;

constexpr std::size_t symlink_bytes_max = 4095;  // PATH_MAX without its zero

// A path that may not be there yet: what is there from the root downwards, and the names below that.
struct place {
  std::vector<merge_tree::number> there{merge_tree::root};
  std::vector<std::string> missing;

  [[nodiscard]] merge_tree::number existing() const { return there.back(); }
  [[nodiscard]] std::size_t depth() const { return there.size() + missing.size(); }
};

file_type inode_type(layer_entry_type type) {
  return static_cast<file_type>(type);
}

image_inode inode_of(const layer_entry& entry) {
  image_inode inode;
  inode.type = inode_type(entry.type);
  inode.permissions = inode.type == file_type::symlink ? std::uint16_t{0777} : entry.permissions;
  inode.uid = entry.uid;
  inode.gid = entry.gid;
  inode.modified = entry.modified;
  inode.device_major = entry.device_major;
  inode.device_minor = entry.device_minor;
  inode.xattrs = entry.xattrs;
  if (inode.type == file_type::symlink) {
    inode.symlink_target = entry.link_target;
    inode.size = entry.link_target.size();
  } else if (entry.content) {
    inode.size = entry.content->size;
  }
  return inode;
}

image_inode implied_directory() {
  image_inode inode;
  inode.type = file_type::directory;
  inode.permissions = 0755;
  return inode;
}

std::string quoted(std::string_view path) {
  return "'" + std::string(path.substr(0, 200)) + "'";
}

}  // namespace

struct overlay_merger::impl {
  merge_tree tree;
  std::uint32_t layer = 0;

  // Follows links inside the root, as securejoin does: what does not exist is taken by its letters.
  result<place> resolve(const std::vector<std::string_view>& components) {
    std::deque<std::string> rest(components.begin(), components.end());
    place at;
    std::uint32_t followed = 0;
    while (!rest.empty()) {
      std::string name = std::move(rest.front());
      rest.pop_front();
      if (name.empty() || name == ".") continue;
      if (name == "..") {
        leave(at);
        continue;
      }
      const auto found = at.missing.empty() ? tree.find(at.existing(), name) : std::nullopt;
      if (found && tree.is(*found, file_type::symlink)) {
        if (++followed > tree.limits().symlinks_followed_max) {
          return fail(errc::corrupt, "too many symbolic links on the way");
        }
        follow(tree.at(*found).inode.symlink_target, at, rest);
        continue;
      }
      if (auto ok = enter(at, std::move(name), found); !ok) return tl::unexpected(ok.error());
    }
    return at;
  }

  void follow(const std::string& target, place& at, std::deque<std::string>& rest) {
    if (target.starts_with('/')) at = {};
    std::vector<std::string> parts;
    for (std::size_t from = 0; from <= target.size();) {
      const std::size_t to = std::min(target.find('/', from), target.size());
      parts.push_back(target.substr(from, to - from));
      from = to + 1;
    }
    rest.insert(rest.begin(), parts.begin(), parts.end());
  }

  result<void> enter(place& at, std::string name, std::optional<merge_tree::number> found) {
    if (at.depth() > tree.limits().depth_max) return fail(errc::limit_exceeded, "depth_max");
    if (found) {
      at.there.push_back(*found);
    } else {
      at.missing.push_back(std::move(name));
    }
    return {};
  }

  void leave(place& at) {
    if (!at.missing.empty()) {
      at.missing.pop_back();
    } else if (at.there.size() > 1) {
      at.there.pop_back();
    }
  }

  result<merge_tree::number> make_missing(const place& at) {
    merge_tree::number here = at.existing();
    if (!tree.is(here, file_type::directory)) return fail(errc::corrupt, "a parent is no directory");
    for (const auto& name : at.missing) {
      auto made = tree.make(here, name, implied_directory(), layer);
      if (!made) return made;
      here = *made;
    }
    return here;
  }

  result<void> whiteout(const place& at, std::string_view name) {
    if (!at.missing.empty()) return {};
    if (!tree.is(at.existing(), file_type::directory)) return fail(errc::corrupt, "a whiteout inside a file");
    if (name == opaque_whiteout) {
      tree.erase_lower(at.existing(), layer);
      return {};
    }
    const std::string_view hidden = name.substr(whiteout_prefix.size());
    if (hidden.empty() || hidden == "." || hidden == "..") {
      return fail(errc::corrupt, "a whiteout of no file");
    }
    auto& entries = tree.at(at.existing()).entries;
    const auto found = entries.find(hidden);
    if (found == entries.end()) return {};
    if (found->second.layer != layer) {
      entries.erase(found);
    } else if (tree.is(found->second.inode, file_type::directory)) {
      tree.erase_lower(found->second.inode, layer);
    }
    return {};
  }

  // The file that a hard link means, before anything is changed.
  result<merge_tree::number> link_target(const layer_entry& entry) {
    auto components = clean_components(entry.link_target);
    if (components.empty()) return fail(errc::corrupt, "a hard link to the root");
    const std::string_view name = components.back();
    components.pop_back();
    auto folder = resolve(components);
    if (!folder) return tl::unexpected(folder.error());
    const auto found = folder->missing.empty() ? tree.find(folder->existing(), name) : std::nullopt;
    if (!found)
      return fail(errc::corrupt, "a hard link to " + quoted(entry.link_target) + ", which is not there");
    if (tree.is(*found, file_type::directory)) return fail(errc::corrupt, "a hard link to a directory");
    return *found;
  }

  result<void> hard_link(merge_tree::number parent, std::string_view name, const layer_entry& entry) {
    tree.erase(parent, name);  // before the target is looked up, as umoci does: a link to itself is broken
    auto target = link_target(entry);
    if (!target) return tl::unexpected(target.error());
    if (auto ok = tree.link(parent, name, *target, layer); !ok) return ok;
    tree.mark(parent, name, layer);
    return {};
  }

  result<void> place_entry(merge_tree::number parent, std::string_view name, const layer_entry& entry) {
    if (entry.type == layer_entry_type::hard_link) return hard_link(parent, name, entry);
    const auto old = tree.find(parent, name);
    const bool merges =
        old && entry.type == layer_entry_type::directory && tree.is(*old, file_type::directory);
    if (merges) {
      tree.at(*old).inode = inode_of(entry);
    } else {
      if (old) tree.erase(parent, name);
      auto made = tree.make(parent, name, inode_of(entry), layer);
      if (!made) return tl::unexpected(made.error());
      tree.at(*made).content = entry.content;
    }
    tree.mark(parent, name, layer);
    return {};
  }

  result<void> change_root(const layer_entry& entry) {
    if (entry.type != layer_entry_type::directory) return fail(errc::corrupt, "the root is no directory");
    tree.at(merge_tree::root).inode = inode_of(entry);
    return {};
  }

  result<void> check(const layer_entry& entry) const {
    if (entry.type != layer_entry_type::symlink) return {};
    if (entry.link_target.empty() || entry.link_target.size() > symlink_bytes_max) {
      return fail(errc::corrupt, "a symbolic link without a usable target");
    }
    return {};
  }

  result<void> apply(const layer_entry& entry) {
    auto components = clean_components(entry.path);
    if (components.empty()) return change_root(entry);
    if (auto ok = check(entry); !ok) return ok;
    const std::string_view name = components.back();
    components.pop_back();
    auto folder = resolve(components);
    if (!folder) return tl::unexpected(folder.error());
    if (name.starts_with(whiteout_prefix)) return whiteout(*folder, name);
    auto parent = make_missing(*folder);
    if (!parent) return tl::unexpected(parent.error());
    return place_entry(*parent, name, entry);
  }
};

overlay_merger::overlay_merger(merge_limits limits) : impl_(new impl{.tree = merge_tree(limits)}) {}
overlay_merger::~overlay_merger() = default;

void overlay_merger::begin_layer() {
  ++impl_->layer;
}

result<void> overlay_merger::apply(const layer_entry& entry) {
  auto applied = impl_->apply(entry);
  if (!applied) return fail(applied.error(), quoted(entry.path));
  return {};
}

image_tree overlay_merger::finish() {
  impl_->layer = 0;
  return impl_->tree.take();
}

}  // namespace firstlight
