#pragma once
#include <filesystem>

#include "actors/interfaces.hpp"
#include "config/fuse_limits.hpp"
#include "fuse_bridge/failed_mounts.hpp"
#include "fuse_bridge/mount_keeper.hpp"
#include "storage/content_store.hpp"
#include "storage/erofs/erofs_plans.hpp"

namespace firstlight {

/// Where a node mounts in mode `hybrid`. All folders are private, and made when missing.
struct hybrid_folders {
  std::filesystem::path store;     ///< of the complete contents: `contents/` of the content store
  std::filesystem::path images;    ///< of EROFS images while they are written; on a disk
  std::filesystem::path trees;     ///< of the mount points of EROFS images
  std::filesystem::path contents;  ///< mount point of the content mount
  std::filesystem::path early{};   ///< of early_contents; may be none
};

struct mounter_parts {
  const content_store* store = nullptr;  ///< outlives all instances
  std::filesystem::path mounts_folder;   ///< private; FUSE mounts below overlays are made here
  fuse_limits limits;
  std::shared_ptr<mount_keeper> keeper{};       ///< holds the mounts should this process die; may be none
  std::optional<hybrid_folders> hybrid{};       ///< none: mode `hybrid` is unsupported
  std::optional<kept_session> contents_left{};  ///< the content mount of an earlier process
  std::size_t hybrid_left = 0;                  ///< so many requests to take over hybrid mounts come first
  std::shared_ptr<erofs_plans> plans{};         ///< may be none
  bool watch_opens = true;                      ///< of recorded mounts, where the kernel can
  std::shared_ptr<failed_mounts> failed = std::make_shared<failed_mounts>();  ///< of this mounter
};

/// Starts a MOUNTER on a thread of its own: mounting blocks.
mounter spawn_mounter(caf::actor_system& system, mounter_parts parts);

}  // namespace firstlight
