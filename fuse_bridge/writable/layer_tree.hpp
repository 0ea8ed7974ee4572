#pragma once
#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fuse_bridge/writable/folder_entries.hpp"
#include "fuse_bridge/writable/image_names.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// A name in the read-write layer.
struct layer_place {
  node_number folder = 0;
  std::string name;
  friend bool operator==(const layer_place&, const layer_place&) = default;
};

/// What the read-write layer has of one file. See "entry states" in docs/mounting.md.
struct layer_node {
  node_number number = 0;
  inode_number image = 0;  ///< what it was promoted from; 0: made on the mount
  mode_t type = 0;         ///< S_IFREG and so on
  /// A folder also shows what the image's has and `entries` does not name; the contents of a regular file
  /// are the image's still.
  bool below = false;
  std::vector<layer_place> places;              ///< none: removed, or without a name so far; not of the root
  folder_entries entries;                       ///< of a folder
  std::shared_ptr<const file_descriptor> file;  ///< for reading and writing, while it is open
  /// One of the kept_files: found there when it has no place. That counts as a link on the disk and is not
  /// shown.
  bool kept = false;
  struct stat last {};  ///< of one without a place, `file` and `kept`
};

/// The tree that a writable mount shows: the image's, under what the read-write layer has. It only knows;
/// others carry changes out on the disk and tell it. Not thread-safe.
class layer_tree {
 public:
  explicit layer_tree(std::shared_ptr<const toc_view> toc);

  [[nodiscard]] const toc_view& toc() const { return *toc_; }

  /// Nothing for what the read-write layer does not have.
  [[nodiscard]] layer_node* find(node_number number);
  [[nodiscard]] const layer_node* find(node_number number) const;
  [[nodiscard]] bool is_image_inode(node_number number) const {
    return number >= root_inode && number <= toc_->inode_count();
  }
  /// Whether the kernel may ask for it: in the image, or in the read-write layer.
  [[nodiscard]] bool known(node_number number) const {
    return is_image_inode(number) || find(number) != nullptr;
  }
  /// Precondition of all that follows: `known`.
  [[nodiscard]] mode_t type(node_number number) const;
  [[nodiscard]] bool is_folder(node_number number) const { return S_ISDIR(type(number)); }
  /// Whether a folder is not there any more for anybody but those who are in it: it shows nothing.
  [[nodiscard]] bool removed(node_number folder) const;

  /// What a folder shows under a name.
  [[nodiscard]] std::optional<node_number> lookup(node_number folder, std::string_view name) const;
  /// What the image has under a name of a folder, shown or not: what a removal has to cover.
  [[nodiscard]] std::optional<inode_number> below(node_number folder, std::string_view name) const;
  [[nodiscard]] node_number parent(node_number folder) const;
  /// Hands what a folder shows, but "." and "..", to `take` in the order of places from this one on, until it
  /// returns false.
  void list(node_number folder, listing_place from,
            const std::function<bool(const listed_entry&)>& take) const;
  [[nodiscard]] bool is_empty(node_number folder) const;
  /// Link count of a folder: its own two, and one for each folder in it.
  [[nodiscard]] std::uint32_t folder_links(node_number folder) const;

  /// The names of an inode of the image that the mount shows as they are in the image.
  [[nodiscard]] std::vector<layer_place> image_places(inode_number inode) const;

  /// Calls `visit(const layer_node&)` for all that the read-write layer has, in no order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [number, node] : nodes_) visit(node);
  }
  /// Whether anything differs from the image.
  [[nodiscard]] bool changed() const { return nodes_.size() > 1 || !nodes_.at(root_inode).entries.empty(); }
  /// A name of an inode in the image, always the same one, without a leading slash.
  [[nodiscard]] std::string image_path(inode_number inode) const;

  /// Where a node is in the read-write layer, without a leading slash; "." for the root.
  /// Precondition: `find(number)` and it has a place.
  [[nodiscard]] std::string path(node_number number) const;
  [[nodiscard]] std::string path(node_number folder, std::string_view name) const;

  /// The number of what was made on the mount, as its inode on the disk tells it.
  [[nodiscard]] node_number disk_number(ino_t disk_inode) const { return toc_->inode_count() + disk_inode; }
  /// That, or one of 32 bits that nothing has, if something has it: then the file must note it
  /// (noted_numbers).
  [[nodiscard]] node_number free_number(ino_t disk_inode) const;

  /// Of a session that was taken over somebody may be in folders of the image that an earlier process has
  /// removed: from now on `removed` knows those that do not show.
  void find_removed_folders();

  /// @returns the node as it is kept. Precondition: not there yet.
  layer_node& add(layer_node&& node);
  /// Removes a node without a place.
  void erase(node_number number) { nodes_.erase(number); }
  /// The node has got this name; what had it is gone.
  void put(const layer_place& place, node_number number);
  /// Whatever the read-write layer had there it has no more: `whiteout` or the image's shows.
  void take(const layer_place& place);
  /// A whiteout hides what the image has there.
  void hide(const layer_place& place);

 private:
  /// The folder of the image whose entries a folder shows, but for those that it has itself.
  [[nodiscard]] std::optional<inode_view> folder_below(node_number folder) const;
  [[nodiscard]] bool shown(inode_number folder) const;
  [[nodiscard]] const image_names& names() const;
  void drop_place(const layer_place& place);
  void set_entry(const layer_place& place, node_number number);

  std::shared_ptr<const toc_view> toc_;
  std::unordered_map<node_number, layer_node> nodes_;
  mutable std::optional<image_names> names_;         // made when it is needed first
  std::unordered_set<inode_number> hidden_folders_;  // without a node; those below them are not here
};

}  // namespace firstlight
