#include "fuse_bridge/writable/load_layer.hpp"

#include <dirent.h>
#include <sys/xattr.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <unordered_set>

#include "fuse_bridge/writable/layer_marks.hpp"
#include "schemas/toc_paths.hpp"

namespace firstlight {
namespace {

result<std::vector<std::string>> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) return tl::unexpected(from_errno(errno, "open " + folder));
  std::vector<std::string> names;
  errno = 0;
  while (const auto* entry = readdir(open.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return tl::unexpected(from_errno(errno, "read " + folder));
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> mark_of(const std::string& path, const char* name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const auto bytes = lgetxattr(path.c_str(), name, value.data(), value.size());
  if (bytes < 0) return std::nullopt;
  value.resize(static_cast<std::size_t>(bytes));
  return value;
}

class loader {
 public:
  loader(layer_tree& tree, upper_layer& layer, const kept_files& kept, const noted_numbers& numbers)
      : tree_(tree), layer_(layer), kept_(kept), numbers_(numbers) {}

  result<void> load() {
    const auto kept = kept_.numbers();
    if (!kept) return tl::unexpected(kept.error());
    for (const auto number : *kept)
      if (auto loaded = load_kept(number); !loaded) return loaded;
    if (auto loaded = load_folders(); !loaded) return loaded;
    for (const auto number : kept_folders_)
      if (tree_.find(number) == nullptr) add_kept(number, S_IFDIR);
    for (const auto number : *kept) drop_named(number);
    return mend_links();
  }

 private:
  /// Before what has a name: a crash may have come before the last name of this one went.
  result<void> load_kept(node_number number) {
    const auto file = kept_.path(number);
    struct stat st {};
    if (lstat(file.c_str(), &st) != 0) return tl::unexpected(from_errno(errno, "look at " + file));
    if (S_ISDIR(st.st_mode)) {
      kept_folders_.push_back(number);
      return {};
    }
    auto& node = add_kept(number, st.st_mode & S_IFMT);
    const bool bare = mark_of(file, layer_mark::metacopy).has_value();
    if (tree_.is_image_inode(number))
      node.image = static_cast<inode_number>(number);
    else if (bare)
      node.image = origin({root_inode, {}}, file, node.type).value_or(0);
    node.below = bare && node.image != 0;
    seen_[st.st_ino] = number;
    return {};
  }
  layer_node& add_kept(node_number number, mode_t type) {
    layer_node node;
    node.number = number;
    node.type = type;
    node.kept = true;
    return tree_.add(std::move(node));
  }
  void drop_named(node_number number) {
    auto& node = *tree_.find(number);
    if (node.places.empty()) return;
    kept_.drop(number);
    node.kept = false;
  }

  result<void> load_folders() {
    // Breadth first: a parent is known before its children.
    for (std::vector<node_number> folders{root_inode}; !folders.empty();) {
      std::vector<node_number> next;
      for (const auto folder : folders)
        if (auto loaded = load_folder(folder, next); !loaded) return loaded;
      folders = std::move(next);
    }
    return {};
  }
  result<void> load_folder(node_number folder, std::vector<node_number>& folders) {
    const auto path = tree_.path(folder);
    const auto names = names_in(layer_.at(path));
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names) {
      const auto file = layer_.at(tree_.path(folder, name));
      struct stat st {};
      if (lstat(file.c_str(), &st) != 0) return tl::unexpected(from_errno(errno, "look at " + file));
      if (S_ISCHR(st.st_mode) && st.st_rdev == 0) {
        tree_.hide({folder, name});
        continue;
      }
      const auto number = load_file({folder, name}, file, st);
      if (!number) return tl::unexpected(number.error());
      if (S_ISDIR(st.st_mode)) folders.push_back(*number);
    }
    return {};
  }

  result<node_number> load_file(const layer_place& place, const std::string& file, const struct stat& st) {
    const auto known = seen_.find(st.st_ino);
    auto number = known != seen_.end() ? result<node_number>(known->second) : join(place, file, st);
    if (!number) return number;
    if (*number == unknown) number = add(place, file, st);
    if (st.st_nlink > 1 && !S_ISDIR(st.st_mode)) seen_[st.st_ino] = *number;
    if (outdated_.contains(st.st_ino))
      if (auto linked = link(tree_.path(*number), place); !linked) return tl::unexpected(linked.error());
    tree_.put(place, *number);
    return number;
  }

  /// A crash may have come between the names of a hard-linked file whose contents were promoted: some are of
  /// the file with contents, the others still of the one without. @returns the number of both if this is the
  /// second of the two that is met, else `unknown`
  result<node_number> join(const layer_place& place, const std::string& file, const struct stat& st) {
    const mode_t type = st.st_mode & S_IFMT;
    const auto promoted = S_ISREG(type) ? promoted_from(numbers_.find(file), type) : std::nullopt;
    if (!promoted) return unknown;
    const bool bare = mark_of(file, layer_mark::metacopy).has_value();
    const auto [met, is_first] = promoted_.try_emplace(*promoted, promoted_file{st.st_ino, bare});
    auto* const node = is_first ? nullptr : tree_.find(*promoted);
    if (node == nullptr || bare == met->second.bare) return unknown;
    outdated_.insert(bare ? st.st_ino : met->second.inode);
    if (bare) return *promoted;
    for (const auto& other : node->places)
      if (auto linked = link(tree_.path(place.folder, place.name), other); !linked)
        return tl::unexpected(linked.error());
    met->second = {st.st_ino, bare};
    node->below = false;
    return *promoted;
  }

  /// The name becomes one more of the file at `path`.
  result<void> link(const std::string& path, const layer_place& name) {
    const auto linked = layer_.replace_by_link(path, tree_.path(name.folder, name.name));
    return linked ? result<void>()
                  : result<void>(tl::unexpected(from_errno(linked.error(), "link a promoted file")));
  }

  node_number add(const layer_place& place, const std::string& file, const struct stat& st) {
    layer_node node;
    node.type = st.st_mode & S_IFMT;
    const auto merged = S_ISDIR(st.st_mode) || mark_of(file, layer_mark::metacopy).has_value();
    const auto below = merged ? origin(place, file, node.type) : std::nullopt;
    node.image = below ? *below : 0;
    node.below = below.has_value();
    const auto noted = numbers_.find(file);
    const auto promoted = promoted_from(noted, node.type);
    if (promoted && node.image == 0 && !S_ISDIR(node.type)) node.image = *promoted;
    // A number of the image stands for all names there: a folder has one, a file if we promoted it.
    const bool says_another = noted && !tree_.is_image_inode(*noted);
    const bool as_in_image =
        node.image != 0 && !says_another && tree_.find(node.image) == nullptr &&
        (S_ISDIR(node.type) || promoted == node.image || tree_.toc().inode(node.image).links == 1);
    const auto number = as_in_image ? node.image : number_of(file, st, noted);
    node.number = number;
    tree_.add(std::move(node));
    return number;
  }

  /// Of what is not the image's: the one that it notes, else that of its inode on the disk. Neither is free
  /// if the layer was copied since it was written; then it notes another one, if the disk lets it: this
  /// process needs no note.
  node_number number_of(const std::string& file, const struct stat& st,
                        std::optional<node_number> noted) const {
    const bool own = noted && !tree_.is_image_inode(*noted);
    const auto wanted = own ? *noted : tree_.disk_number(st.st_ino);
    if (tree_.find(wanted) == nullptr) return wanted;
    const auto number = tree_.free_number(st.st_ino);
    std::ignore = numbers_.set(file, number);
    return number;
  }

  /// What of the image a merged folder or a file without contents stands on.
  [[nodiscard]] std::optional<inode_number> origin(const layer_place& place, const std::string& file,
                                                   mode_t type) const {
    if (S_ISDIR(type) && mark_of(file, layer_mark::opaque) == "y" && !mark_of(file, layer_mark::redirect))
      return std::nullopt;
    auto found = tree_.below(place.folder, place.name);
    if (const auto redirect = mark_of(file, layer_mark::redirect))
      found = redirect->starts_with('/') ? find_path(tree_.toc(), *redirect)
                                         : tree_.below(place.folder, *redirect);
    if (!found || (tree_.toc().inode(*found).mode & S_IFMT) != type) return std::nullopt;
    return found;
  }

  [[nodiscard]] std::optional<inode_number> promoted_from(std::optional<node_number> noted,
                                                          mode_t type) const {
    if (!noted || !tree_.is_image_inode(*noted)) return std::nullopt;
    const auto inode = static_cast<inode_number>(*noted);
    return (tree_.toc().inode(inode).mode & S_IFMT) == type ? std::optional(inode) : std::nullopt;
  }

  /// A crash may have come between the names of a hard-linked file that was promoted.
  result<void> mend_links() {
    for (const auto& [inode, number] : seen_or_promoted())
      for (const auto& place : tree_.image_places(inode)) {
        if (tree_.find(place.folder) == nullptr) continue;
        const auto linked = layer_.link(tree_.path(number), tree_.path(place.folder, place.name));
        if (!linked) return tl::unexpected(from_errno(linked.error(), "link a promoted file"));
        tree_.put(place, number);
      }
    return {};
  }
  [[nodiscard]] std::vector<std::pair<inode_number, node_number>> seen_or_promoted() const {
    std::vector<std::pair<inode_number, node_number>> all;
    tree_.for_each([&](const layer_node& node) {
      if (!S_ISDIR(node.type) && !node.places.empty() && tree_.is_image_inode(node.number) &&
          tree_.toc().inode(node.image).links > 1)
        all.emplace_back(node.image, node.number);
    });
    return all;
  }

  static constexpr node_number unknown = 0;
  struct promoted_file {
    ino_t inode = 0;
    bool bare = false;  ///< without contents
  };

  layer_tree& tree_;
  upper_layer& layer_;
  const kept_files& kept_;
  const noted_numbers& numbers_;
  std::vector<node_number> kept_folders_;  ///< those that have a name are not removed yet
  std::unordered_map<ino_t, node_number> seen_;
  std::unordered_map<inode_number, promoted_file> promoted_;  ///< the first that was met
  std::unordered_set<ino_t> outdated_;                        ///< another file has their contents
};

}  // namespace

result<void> load_layer(layer_tree& tree, upper_layer& layer, const kept_files& kept,
                        const noted_numbers& numbers) {
  return loader(tree, layer, kept, numbers).load();
}

}  // namespace firstlight
