#pragma once
#include "fuse_bridge/hybrid/hybrid_bridge.hpp"
#include "fuse_bridge/mounter.hpp"

namespace firstlight {

/// Mounts in mode `hybrid`: what all such mounts of a node share, made at the first one. One thread.
class hybrid_mode {
 public:
  /// Precondition: `parts.hybrid`. A content mount that an earlier process left goes on once all
  /// `parts.hybrid_left` mounts have been taken over. Then an empty image is mounted once: so it is known
  /// what this kernel can do, and the first real mount finds everything warm.
  hybrid_mode(caf::actor_system& system, const mounter_parts& parts);

  /// Blocks. Errors: `unsupported` when this kernel or the file
  /// system of the store cannot do it; those of hybrid_mount, tree_mounts, content_mount.
  result<mounted> mount(const mount_request& request);

 private:
  result<void> prepare();
  result<void> try_out();
  result<mounted> assemble_around(const mount_request& request);
  void note_taken_over();
  result<std::unique_ptr<hybrid_mount>> assemble(const mount_request& request);

  caf::actor_system& system_;
  mounter_parts parts_;
  tree_mounts trees_;
  std::shared_ptr<unmount_watch> watch_;
  std::shared_ptr<content_mount> contents_;
  std::shared_ptr<arriving_images> arriving_;
  std::optional<error> refused_;  ///< why this kernel or disk cannot do it
  std::size_t still_left_;        ///< mounts of an earlier process
};

}  // namespace firstlight
