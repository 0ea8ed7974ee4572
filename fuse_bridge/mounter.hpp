#pragma once
#include <filesystem>

#include "actors/interfaces.hpp"
#include "config/fuse_limits.hpp"
#include "fuse_bridge/mount_keeper.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

struct mounter_parts {
  const content_store* store = nullptr;  ///< outlives all instances
  std::filesystem::path mounts_folder;   ///< private; FUSE mounts below overlays are made here
  fuse_limits limits;
  std::shared_ptr<mount_keeper> keeper{};  ///< holds the mounts should this process die; may be none
};

/// Starts a MOUNTER on a thread of its own: mounting blocks.
mounter spawn_mounter(caf::actor_system& system, mounter_parts parts);

}  // namespace firstlight
