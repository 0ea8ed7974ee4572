#include "apps/node.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>

#include "actors/node/node_daemon.hpp"
#include "apps/actor_runtime.hpp"
#include "apps/keeper.hpp"
#include "apps/version.hpp"
#include "apps/warm_memory.hpp"
#include "containerd/image_registrar.hpp"
#include "containerd/snapshots_server.hpp"
#include "fuse_bridge/mounter.hpp"
#include "fuse_bridge/stale_mounts.hpp"

namespace firstlight {
namespace {

hybrid_folders folders_of(const node_options& options) {
  return {.store = options.store_folder / "contents",
          .images = options.store_folder / "erofs",
          .trees = options.run_folder / "trees",
          .contents = options.run_folder / "contents",
          .early = options.run_folder / "early"};
}

/// What an earlier process has left, and who goes on with it.
struct left_behind {
  std::vector<kept_mount> mounts;
  std::optional<kept_session> contents;  ///< of hybrid mounts
};

result<left_behind> find_left(const node_options& options, mount_keeper* keeper) {
  left_behind left;
  if (keeper != nullptr) {
    left.mounts = keeper->take_kept();
    left.contents = keeper->take_kept_contents();
  }
  auto hybrid = find_hybrid_mounts(node_daemon::mounts_folder(options), folders_of(options).trees);
  if (!hybrid) return tl::unexpected(hybrid.error());
  for (auto& mount : *hybrid) {
    mount.must_be_whole = !left.contents;
    left.mounts.push_back(std::move(mount));
  }
  return left;
}

/// Detaches what nobody goes on with.
result<void> clean_up(const node_options& options, const std::vector<left_mount>& kept, bool contents_kept) {
  std::set<std::string> names;
  std::set<std::string> targets;
  for (const auto& one : kept) {
    names.insert(one.mount.name);
    targets.insert(one.mount.record.target);
  }
  const auto hybrid = folders_of(options);
  const auto contents = contents_kept ? content_mount_is::kept : content_mount_is::stale;
  for (const auto& detached : {clean_stale_mounts(node_daemon::mounts_folder(options), names),
                               clean_stale_hybrid_mounts(hybrid.trees, hybrid.contents, targets, contents)}) {
    if (!detached) return fail(detached.error(), "mounts of a killed node");
    for (const auto& mount : *detached) spdlog::info("detached {}, left by a killed node", mount);
  }
  return {};
}

/// Holds the run folder for as long as the descriptor is open.
result<file_descriptor> lock_run_folder(const std::filesystem::path& folder) {
  if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  auto lock = open_at(AT_FDCWD, folder / "node.lock", O_RDWR | O_CREAT, 0600);
  if (lock && flock(lock->get(), LOCK_EX | LOCK_NB) != 0)
    return fail(errc::busy,
                "another node uses " + folder.string() + "; stop it or choose another run_folder");
  return lock;
}

/// Nothing when none is wanted; then a keeper that an earlier process wanted gives its mounts up.
result<std::shared_ptr<mount_keeper>> open_keeper(const node_options& options) {
  const auto socket = options.run_folder / "keeper.sock";
  const bool wanted = options.keeper.takeover_wait.count() != 0;
  if (!wanted && !std::filesystem::exists(socket)) return std::shared_ptr<mount_keeper>{};
  const auto folders = folders_of(options);
  auto keeper = mount_keeper::open(socket, options.keeper, [=](int listener) {
    return spawn_keeper(listener, socket, options.keeper, {folders.store, folders.early});
  });
  if (wanted || !keeper) return keeper;
  for (const auto& left : (*keeper)->take_kept()) (*keeper)->drop(left.name);
  if ((*keeper)->take_kept_contents()) (*keeper)->drop(std::string(kept_contents_name));
  return std::shared_ptr<mount_keeper>{};
}

class node_service final : public running_daemon {
 public:
  static result<std::unique_ptr<running_daemon>> start(const node_options& options) {
    auto lock = lock_run_folder(options.run_folder);
    if (!lock) return tl::unexpected(lock.error());
    auto keeper = open_keeper(options);
    if (!keeper) return tl::unexpected(keeper.error());
    auto service = std::make_unique<node_service>();
    service->lock_ = std::move(*lock);
    service->keeper_ = std::move(*keeper);
    auto left = find_left(options, service->keeper_.get());
    if (!left) return tl::unexpected(left.error());
    std::set<std::string> names;
    for (const auto& mount : left->mounts)
      if (mount.session.device) names.insert(mount.name);
    auto& system = service->runtime_.system();
    const auto make_mounter = [&](const content_store& store, const std::shared_ptr<erofs_plans>& plans,
                                  const std::vector<left_mount>& kept) -> result<mounter> {
      std::size_t hybrid = 0;
      for (const auto& one : kept) {
        names.erase(one.mount.name);
        hybrid += one.mount.record.mode == mount_mode::hybrid ? 1 : 0;
      }
      // Who still waits for one that does not go on gets an error.
      for (const auto& name : names) service->keeper_->drop(name);
      if (const auto clean = clean_up(options, kept, left->contents.has_value()); !clean)
        return tl::unexpected(clean.error());
      return spawn_mounter(system, {.store = &store,
                                    .mounts_folder = node_daemon::mounts_folder(options),
                                    .limits = options.fuse,
                                    .keeper = service->keeper_,
                                    .hybrid = folders_of(options),
                                    .contents_left = left->contents,
                                    .hybrid_left = hybrid,
                                    .plans = plans,
                                    .watch_opens = options.recording.watch_opens});
    };
    const auto keeper_problem = [keeper = service->keeper_] {
      return keeper != nullptr ? keeper->problem() : std::string{};
    };
    auto node = node_daemon::start(system, options, std::string(software_version()), std::move(left->mounts),
                                   make_mounter, keeper_problem,
                                   options.containerd.socket.empty()
                                       ? image_registrar{}
                                       : spawn_image_registrar(system, options.containerd));
    if (!node) return tl::unexpected(node.error());
    service->node_ = std::move(*node);
    if (options.containerd.socket.empty()) return service;
    auto snapshots = snapshots_server::start(system, service->node_->snapshots(), service->node_->logins(),
                                             options.containerd);
    if (!snapshots) return tl::unexpected(snapshots.error());
    service->snapshots_ = std::move(*snapshots);
    return service;
  }

 private:
  file_descriptor lock_;
  std::shared_ptr<mount_keeper> keeper_;
  actor_runtime runtime_;
  std::unique_ptr<node_daemon> node_;  // ends before its actor system
  std::unique_ptr<snapshots_server> snapshots_;
};

}  // namespace

result<std::unique_ptr<running_daemon>> start_node(const node_options& options) {
  warm_up_memory(options.warm_heap_bytes);
  return node_service::start(options);
}

}  // namespace firstlight
