#pragma once
#include <mutex>
#include <optional>
#include <span>

#include "fuse_bridge/writable/exchange_notes.hpp"
#include "fuse_bridge/writable/kept_files.hpp"
#include "fuse_bridge/writable/layer_tree.hpp"
#include "fuse_bridge/writable/needed_files.hpp"
#include "fuse_bridge/writable/noted_numbers.hpp"
#include "fuse_bridge/writable/upper_layer.hpp"
#include "storage/content_store.hpp"
#include "storage/erofs/shown_sizes.hpp"

namespace firstlight {

/// Who asks for something new.
struct maker {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t umask = 0;
};

/// A file as the kernel is told of it.
struct shown_file {
  node_number number = 0;
  struct stat attributes {};
};

/// An entry of a folder as the kernel is told of it.
struct listed_file {
  std::string_view name;  ///< until the call ends
  listing_place place = 0;
  /// Of `names`, and if its attributes cannot be had, its number is 0, and they say number and type only.
  shown_file file;
};
enum class listing : std::uint8_t { names, names_and_attributes };

/// Contents of the image that an operation needs and that have not arrived.
struct missing_contents {
  inode_number inode = 0;
  block_run blocks;
  std::uint64_t bytes = 0;
};

/// Why an operation has not happened. Once what is missing is there it can be tried again.
struct obstacle {
  int error_number = 0;
  std::optional<missing_contents> missing{};
  bool slow =
      false;  ///< it would take long: try at the pace `unhurried`, on a thread that may wait for the disk
  /// Of what can be tried again: who holds it until then finds the file also if its last name has gone.
  std::shared_ptr<const needed_files::user> needed{};
};
enum class pace : std::uint8_t { at_once, unhurried };
template <class T>
using patient_result = tl::expected<T, obstacle>;

/// What `set_attributes` changes.
struct attribute_changes {
  std::optional<mode_t> mode;
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  std::optional<std::uint64_t> size;
  timespec accessed{0, UTIME_OMIT};
  timespec modified{0, UTIME_OMIT};
};

/// FILE-SYSTEM INSTANCE WITH READ-WRITE LAYER: an image's tree that can be changed. An entry is *empty* or
/// *partial* while contents are missing, then in the *read-only layer* (the content store); what is changed
/// is promoted to the *read-write layer*, an upper folder in overlayfs' format that kernel overlayfs can
/// mount above the same image. Promotion makes the parents first and keeps owner, mode, times, attributes and
/// all names of a hard-linked file. Attributes are promoted alone (metacopy); contents follow at the first
/// open for writing, and nothing waits for contents that it does not need. Nobody else changes the folders
/// meanwhile. Any thread; calls come one after the other, but those that only move bytes of a file. Errors
/// are errno(3).
class writable_tree {
 public:
  /// Loads what an earlier mount has left in the folders. `toc_mark` is `mark_of` the TOC; more than
  /// `copied_at_once_max` bytes are not copied at the pace `at_once`. Of a session that was taken over files
  /// may be open of which this tree was not told. Errors: `io`, `denied`.
  static result<std::shared_ptr<writable_tree>> open(std::shared_ptr<const toc_view> toc,
                                                     std::uint32_t toc_mark, const content_store& store,
                                                     const writable_layer& folders,
                                                     std::uint64_t copied_at_once_max,
                                                     session_life life = session_life::fresh);
  /// Copies that are under way end with EIO, and so will those to come.
  void stop_copying() { stopping_ = true; }
  /// The session goes on in another process once this tree is gone: that gets what is without a name.
  void leave() { kept_->leave(); }

  [[nodiscard]] const toc_view& toc() const { return *toc_; }
  [[nodiscard]] session_life life() const { return life_; }

  // Names. What looks like a whiteout of an OCI layer (".wh.…") cannot be made: EPERM.
  os_result<shown_file> lookup(node_number folder, std::string_view name);
  /// Hands what a folder shows now to `take`, in the order of places from this one on, until it returns
  /// false. `take` must not call the tree.
  os_result<void> list(node_number folder, listing_place from, listing what,
                       const std::function<bool(const listed_file&)>& take);
  os_result<node_number> parent(node_number folder);
  /// A file of a type given in `mode`, open for writing if it is a regular one and `opened`.
  enum class opened : std::uint8_t { no, yes };
  os_result<shown_file> make(node_number folder, const std::string& name, mode_t mode, dev_t device,
                             const maker& by, opened open);
  os_result<shown_file> make_symlink(node_number folder, const std::string& name, const std::string& target,
                                     const maker& by);
  /// A regular file without a name, open. O_TMPFILE in open(2).
  os_result<shown_file> make_unnamed(node_number folder, mode_t mode, const maker& by);
  os_result<void> unlink(node_number folder, const std::string& name);
  os_result<void> remove_folder(node_number folder, const std::string& name);
  /// `flags` as in renameat2(2).
  os_result<void> rename(const layer_place& from, const layer_place& to, unsigned flags);
  /// With RENAME_EXCHANGE, for a request of this number: until `forget_exchange` a process that takes over
  /// knows whether it was carried out.
  os_result<void> exchange(const layer_place& from, const layer_place& to, std::uint64_t request);
  [[nodiscard]] bool was_exchanged(const layer_place& from, const layer_place& to, std::uint64_t request);
  void forget_exchange(std::uint64_t request);
  os_result<shown_file> link(node_number number, node_number folder, const std::string& name);
  /// The kernel forgets a file: what was removed need not be known any more, unless `is_known` says that the
  /// kernel has it all the same. `is_known` must not call the tree.
  void forget(node_number number, const std::function<bool()>& is_known);

  // Attributes.
  os_result<struct stat> attributes(node_number number);
  patient_result<struct stat> set_attributes(node_number number, const attribute_changes& changes, pace how);
  /// Of a regular file in the read-write layer, as after any change by somebody who is not root: it is not
  /// run as its owner any more, nor as its group if that may run it.
  os_result<void> drop_set_ids(node_number number);
  /// Of a file or folder in the read-write layer that somebody has changed who is not in `groups`: it is not
  /// run as its group any more, and nothing that is made in it gets that.
  os_result<void> drop_set_group_id(node_number number, std::span<const gid_t> groups);
  os_result<std::string> read_link(node_number number);
  os_result<std::string> get_xattr(node_number number, const std::string& name);
  os_result<std::string> list_xattrs(node_number number);
  os_result<void> set_xattr(node_number number, const std::string& name, std::string_view value, int flags);
  os_result<void> remove_xattr(node_number number, const std::string& name);
  os_result<struct statvfs> statistics() const;

  // Contents.
  /// For writing the contents are promoted; O_TRUNC needs none of them. ESTALE if it was removed while nobody
  /// had it open or waited to open it, and its contents are gone.
  patient_result<void> open_file(node_number number, int flags, pace how);
  void release(node_number number);
  /// Whether it was opened here, made open among that, more often than released.
  [[nodiscard]] bool is_open(node_number number) const {
    const std::lock_guard lock(mutex_);
    return opens_.contains(number);
  }
  /// The file that holds the contents now; none while they are the image's.
  os_result<std::shared_ptr<const file_descriptor>> file_of(node_number number);
  /// The inode of the image whose contents a file without a file of its own shows.
  [[nodiscard]] inode_number image_of(node_number number);
  /// The file of a folder or file of any type on the disk, for fsync; none if it is as in the image or has
  /// nothing there any more.
  os_result<std::optional<file_descriptor>> for_sync(node_number number);

 private:
  writable_tree(std::shared_ptr<const toc_view> toc, std::uint32_t toc_mark, const content_store& store,
                std::unique_ptr<upper_layer> layer, std::unique_ptr<kept_files> kept,
                exchange_notes exchanges, std::uint64_t copied_at_once_max, session_life life);

  // With the lock.
  os_result<struct stat> attributes_of(node_number number);
  os_result<shown_file> show(node_number number);
  listed_file show_in_list(const listed_entry& entry, listing what);
  os_result<layer_node*> promote(node_number number);
  os_result<layer_node*> promote_folder(node_number folder);
  os_result<layer_node*> promote_removed(node_number number, const inode_view& inode);
  void undo_promotion(node_number number);
  os_result<void> promote_root();
  os_result<work_file> make_promoted(node_number number, const inode_view& inode);
  /// Opens the lock for as long as it copies unhurriedly.
  patient_result<void> promote_contents(std::unique_lock<std::mutex>& lock, node_number number,
                                        std::uint64_t bytes, pace how);
  os_result<void> copy_contents(std::uint32_t content, int to, std::uint64_t bytes) const;
  /// Likewise.
  os_result<work_file> copy_beside(std::unique_lock<std::mutex>& lock, const layer_node& node,
                                   std::uint64_t bytes);
  os_result<work_file> copy_of(std::uint32_t content, std::uint64_t bytes) const;
  os_result<void> install(layer_node& node, work_file copy);
  os_result<void> fill(layer_node& node, std::uint64_t bytes);
  os_result<void> check_new(node_number folder, const std::string& name) const;
  os_result<void> dress(const std::string& made, node_number folder, mode_t mode, const maker& by);
  os_result<shown_file> adopt(const layer_place& place, work_file made, opened open);
  os_result<layer_node> new_node(const std::string& made) const;
  os_result<void> remove_place(const layer_place& place);
  os_result<void> make_way(const layer_place& place, node_number number);
  /// Whether anybody may use its contents without a name.
  [[nodiscard]] bool is_used(node_number number) const {
    return life_ == session_life::taken_over || opens_.contains(number) || needed_.contains(number);
  }
  os_result<void> remember(layer_node& node);
  void remember_folder(node_number number);
  os_result<void> keep(layer_node& node);
  void drop_kept(layer_node& node) const;
  os_result<void> drop_modes(const layer_node& node, const struct stat& now, mode_t dropped);
  void stays(node_number number);
  [[nodiscard]] static bool is_named(const layer_node& node) {
    return node.number == root_inode || !node.places.empty();
  }
  [[nodiscard]] static bool has_path(const layer_node& node) { return is_named(node) || node.kept; }
  [[nodiscard]] static bool cannot_be_read(const layer_node& node);
  /// A removed folder or symbolic link: its attributes are all that is left.
  [[nodiscard]] static bool is_gone(const layer_node& node) {
    return !has_path(node) && !node.file && (S_ISDIR(node.type) || S_ISLNK(node.type));
  }
  /// Precondition: `has_path`.
  [[nodiscard]] std::string disk_path(const layer_node& node) const {
    return is_named(node) ? layer_->at(tree_.path(node.number)) : kept_->path(node.number);
  }
  os_result<void> set_origin(const layer_node& node) const;
  os_result<void> prepare_to_move(node_number number);
  os_result<file_descriptor> grab(const layer_node& node);
  os_result<std::shared_ptr<const file_descriptor>> opened_file(layer_node& node);
  [[nodiscard]] inode_view image_inode(node_number number) const {
    return toc_->inode(static_cast<inode_number>(number));
  }
  [[nodiscard]] bool covers(const layer_place& place) const {
    return tree_.below(place.folder, place.name).has_value();
  }

  std::shared_ptr<const toc_view> toc_;
  directory_sizes directories_;
  noted_numbers numbers_;
  const content_store& store_;
  std::unique_ptr<upper_layer> layer_;
  std::unique_ptr<kept_files> kept_;
  exchange_notes exchanges_;
  session_life life_;
  std::uint64_t copied_at_once_max_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  layer_tree tree_;
  std::unordered_map<node_number, std::uint32_t> opens_;
  needed_files needed_;
};

}  // namespace firstlight
