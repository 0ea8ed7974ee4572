#pragma once
#include <filesystem>

#include "actors/interfaces.hpp"
#include "config/fuse_limits.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

struct mounter_parts {
  const content_store* store = nullptr;  ///< outlives all instances
  std::filesystem::path mounts_folder;   ///< private; FUSE mounts below overlays are made here
  fuse_limits limits;
};

/// Starts a MOUNTER on a thread of its own: mounting blocks.
mounter spawn_mounter(caf::actor_system& system, mounter_parts parts);

}  // namespace firstlight
