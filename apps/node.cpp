#include "apps/node.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>

#include "actors/node/node_daemon.hpp"
#include "apps/actor_runtime.hpp"
#include "apps/keeper.hpp"
#include "apps/version.hpp"
#include "fuse_bridge/mounter.hpp"
#include "fuse_bridge/stale_mounts.hpp"

namespace firstlight {
namespace {

result<void> clean_up(const std::filesystem::path& mounts_folder, const std::set<std::string>& kept) {
  const auto detached = clean_stale_mounts(mounts_folder, kept);
  if (!detached) return fail(detached.error(), "mounts of a killed node");
  for (const auto& mount : *detached) spdlog::info("detached {}, left by a killed node", mount);
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
  auto keeper = mount_keeper::open(
      socket, options.keeper, [&](int listener) { return spawn_keeper(listener, socket, options.keeper); });
  if (wanted || !keeper) return keeper;
  for (const auto& left : (*keeper)->take_kept()) (*keeper)->drop(left.name);
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
    auto left = service->keeper_ ? service->keeper_->take_kept() : std::vector<kept_mount>{};
    std::set<std::string> names;
    for (const auto& mount : left) names.insert(mount.name);
    auto& system = service->runtime_.system();
    const auto make_mounter = [&](const content_store& store, const std::filesystem::path& folder,
                                  const std::set<std::string>& kept) -> result<mounter> {
      // Who still waits for one that does not go on gets an error.
      for (const auto& name : names)
        if (!kept.contains(name)) service->keeper_->drop(name);
      if (const auto clean = clean_up(folder, kept); !clean) return tl::unexpected(clean.error());
      return spawn_mounter(
          system,
          {.store = &store, .mounts_folder = folder, .limits = options.fuse, .keeper = service->keeper_});
    };
    auto node =
        node_daemon::start(system, options, std::string(software_version()), std::move(left), make_mounter);
    if (!node) return tl::unexpected(node.error());
    service->node_ = std::move(*node);
    return service;
  }

 private:
  file_descriptor lock_;
  std::shared_ptr<mount_keeper> keeper_;
  actor_runtime runtime_;
  std::unique_ptr<node_daemon> node_;  // ends before its actor system
};

}  // namespace

result<std::unique_ptr<running_daemon>> start_node(const node_options& options) {
  return node_service::start(options);
}

}  // namespace firstlight
