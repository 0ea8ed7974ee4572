#pragma once
#include "fuse_bridge/held_mount.hpp"
#include "fuse_bridge/hybrid/content_mount.hpp"
#include "fuse_bridge/hybrid/tree_mounts.hpp"
#include "fuse_bridge/hybrid/unmount_watch.hpp"

namespace firstlight {

/// Where one image is mounted in mode `hybrid`, and from what.
struct hybrid_place {
  std::filesystem::path private_folder;  ///< made here; holds the record for the next process
  std::filesystem::path target;          ///< an existing directory of the user
  std::optional<writable_layer> writable;
  std::filesystem::path store;  ///< folder of the complete contents, as storage/content_name.hpp names them
  shared_bytes record;          ///< an encoded mount_record
  /// Shows the tree only, for overlays that others mount above it and the contents. It counts as used until
  /// it is taken down.
  bool for_overlays = false;
};

/// One mount in mode `hybrid`: kernel overlayfs, whose metadata are the image's EROFS and whose contents come
/// from the node's store, or while they arrive from the content mount. Nothing of it needs this process but
/// what has not arrived. Not thread-safe.
class hybrid_mount final : public held_mount {
 public:
  /// Errors: `already_exists` for the private folder, `not_found` for the target, `unsupported` when this
  /// kernel has no data-only layers (Linux 6.5), `io`; nothing is left behind.
  static result<std::unique_ptr<hybrid_mount>> make(std::shared_ptr<content_mount> contents,
                                                    std::shared_ptr<tree_mount> tree, hybrid_place place);

  /// Goes on with what an earlier process has mounted there.
  static std::unique_ptr<hybrid_mount> take_over(std::shared_ptr<content_mount> contents, hybrid_place place);

  /// The contents of the image have become known.
  void learn();

  /// Calls `gone` on a thread of the watch when the file system has ended, by whatever hand.
  result<void> watch(unmount_watch& watch, std::function<void()> gone);

  /// Its bridge has failed: the member leaves the content mount with this mount, unless that is left.
  void hold(std::shared_ptr<const content_member> member) { member_ = std::move(member); }

  [[nodiscard]] std::string name() const override { return place_.private_folder.filename().string(); }

  /// It is no longer left then.
  result<void> take_down(busy_mount when_busy) override;

  /// If it is watched.
  [[nodiscard]] bool alive() const override { return !*gone_; }

  /// If it stays, the content mount stays too.
  bool leave_if_used() override;

  /// What `leave_if_used` did not leave is detached, and the private folder removed.
  ~hybrid_mount() override;
  hybrid_mount(const hybrid_mount&) = delete;
  hybrid_mount& operator=(const hybrid_mount&) = delete;

 private:
  hybrid_mount(std::shared_ptr<content_mount> contents, hybrid_place place)
      : contents_(std::move(contents)), place_(std::move(place)) {}
  result<void> assemble(std::shared_ptr<tree_mount> tree);
  result<void> show();

  std::shared_ptr<content_mount> contents_;
  std::shared_ptr<tree_mount> tree_;
  std::shared_ptr<const content_member> member_;  ///< to leave; none while it has a bridge
  hybrid_place place_;
  bool folder_made_ = false;
  bool target_mounted_ = false;
  bool left_ = false;
  std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace firstlight
