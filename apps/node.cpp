#include "apps/node.hpp"

#include <spdlog/spdlog.h>

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

/// Nothing when none is wanted.
result<std::shared_ptr<mount_keeper>> open_keeper(const node_options& options) {
  if (options.keeper.takeover_wait.count() == 0) return std::shared_ptr<mount_keeper>{};
  if (auto made = make_folders(options.run_folder); !made) return tl::unexpected(made.error());
  const auto socket = options.run_folder / "keeper.sock";
  return mount_keeper::open(socket, options.keeper,
                            [&](int listener) { return spawn_keeper(listener, socket, options.keeper); });
}

class node_service final : public running_daemon {
 public:
  static result<std::unique_ptr<running_daemon>> start(const node_options& options) {
    auto keeper = open_keeper(options);
    if (!keeper) return tl::unexpected(keeper.error());
    auto service = std::make_unique<node_service>();
    service->keeper_ = std::move(*keeper);
    auto& system = service->runtime_.system();
    const auto make_mounter = [&](const content_store& store, const std::filesystem::path& folder,
                                  const std::set<std::string>& kept) -> result<mounter> {
      if (const auto clean = clean_up(folder, kept); !clean) return tl::unexpected(clean.error());
      return spawn_mounter(
          system,
          {.store = &store, .mounts_folder = folder, .limits = options.fuse, .keeper = service->keeper_});
    };
    auto kept = service->keeper_ ? service->keeper_->take_kept() : std::vector<kept_mount>{};
    auto node =
        node_daemon::start(system, options, std::string(software_version()), std::move(kept), make_mounter);
    if (!node) return tl::unexpected(node.error());
    service->node_ = std::move(*node);
    return service;
  }

 private:
  std::shared_ptr<mount_keeper> keeper_;
  actor_runtime runtime_;
  std::unique_ptr<node_daemon> node_;  // ends before its actor system
};

}  // namespace

result<std::unique_ptr<running_daemon>> start_node(const node_options& options) {
  return node_service::start(options);
}

}  // namespace firstlight
