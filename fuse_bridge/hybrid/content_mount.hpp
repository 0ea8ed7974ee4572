#pragma once
#include <filesystem>
#include <mutex>

#include "fuse_bridge/bridge_actor.hpp"
#include "fuse_bridge/hybrid/content_session.hpp"
#include "fuse_bridge/hybrid/early_contents.hpp"

namespace firstlight {

struct content_mount_parts {
  const content_store* store = nullptr;  ///< outlives the mount
  std::filesystem::path point;           ///< made when missing
  std::filesystem::path early;           ///< folder of early_contents
  fuse_limits limits;
  std::shared_ptr<mount_keeper> keeper{};  ///< may be none
};

/// CONTENT MOUNT: the one FUSE mount of a node that serves the contents of all images mounted in mode
/// `hybrid` under their names, and waits for what has not arrived. All members from any thread.
class content_mount {
 public:
  /// Nothing is mounted yet.
  content_mount(caf::actor_system& system, content_mount_parts parts);

  /// Either mounts it, or goes on with the session of an earlier process: then what that one owed is asked
  /// for at once, so all images that are left must have joined. Errors: those of fuse_mount_session.
  result<void> start();
  result<void> go_on(const kept_session& left);

  /// From now on the contents of an image are served. `behind` is told of every read of them that waits; its
  /// bridge says when they have become known, and leaves with the same member. Errors: those of
  /// content_directory::join.
  result<void> join(const std::shared_ptr<content_member>& member, const instance& behind);
  void learn(const std::shared_ptr<const content_member>& member);
  void leave(const std::shared_ptr<const content_member>& member);
  /// Its instance has failed: who waits with it, now or later, waits with another mount or gets an error.
  void give_up(const std::shared_ptr<const content_member>& member);

  /// Answers reads that an instance has let go, or finds another mount to wait with, if it was taken down.
  void release(const reads_released& released) { caf::anon_send(bridge_, released); }

  /// While nothing is incomplete the kernel may read ahead further. Files that are open keep what they had.
  void set_read_ahead(std::uint32_t bytes);

  /// What has not arrived shall wait for the next process, as after a crash: mounts go on without this one.
  void leave_behind() { left_behind_ = true; }

  [[nodiscard]] const std::filesystem::path& point() const { return parts_.point; }
  /// False once the kernel has ended the session: somebody unmounted it. A new one is needed then.
  [[nodiscard]] bool alive() const { return alive_->load(); }

  /// Ends its bridge and waits for that, then detaches the mount and ends the session, unless it is to be
  /// left behind. Not on a thread of either.
  ~content_mount();
  content_mount(const content_mount&) = delete;
  content_mount& operator=(const content_mount&) = delete;

 private:
  [[nodiscard]] std::unique_ptr<content_session> new_session() const;
  void let_keep();

  caf::actor_system& system_;
  content_mount_parts parts_;
  std::mutex early_lock_;  ///< one of a TOC's members leaves while another one joins
  early_contents early_;
  std::shared_ptr<content_directory> directory_ = std::make_shared<content_directory>();
  std::shared_ptr<std::atomic<bool>> alive_ = std::make_shared<std::atomic<bool>>(true);
  read_service reads_;
  std::shared_ptr<refused_windows> refused_again_;
  mount_bridge bridge_;
  std::unique_ptr<fuse_mount_session> session_;
  bool mounted_ = false;
  std::atomic<bool> left_behind_{false};
};

}  // namespace firstlight
