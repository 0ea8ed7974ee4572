#include "apps/node.hpp"

#include <spdlog/spdlog.h>

#include "actors/node/node_daemon.hpp"
#include "apps/actor_runtime.hpp"
#include "apps/version.hpp"
#include "fuse_bridge/mounter.hpp"
#include "fuse_bridge/stale_mounts.hpp"

namespace firstlight {
namespace {

result<void> clean_up(const std::filesystem::path& mounts_folder) {
  const auto detached = clean_stale_mounts(mounts_folder);
  if (!detached) return fail(detached.error(), "mounts of a killed node");
  for (const auto& mount : *detached) spdlog::info("detached {}, left by a killed node", mount);
  return {};
}

class node_service final : public running_daemon {
 public:
  static result<std::unique_ptr<running_daemon>> start(const node_options& options) {
    if (const auto clean = clean_up(node_daemon::mounts_folder(options)); !clean) {
      return tl::unexpected(clean.error());
    }
    auto service = std::make_unique<node_service>();
    auto& system = service->runtime_.system();
    const auto make_mounter = [&](const content_store& store, const std::filesystem::path& folder) {
      return spawn_mounter(system, {.store = &store, .mounts_folder = folder, .limits = options.fuse});
    };
    auto node = node_daemon::start(system, options, std::string(software_version()), make_mounter);
    if (!node) return tl::unexpected(node.error());
    service->node_ = std::move(*node);
    return service;
  }

 private:
  actor_runtime runtime_;
  std::unique_ptr<node_daemon> node_;  // ends before its actor system
};

}  // namespace

result<std::unique_ptr<running_daemon>> start_node(const node_options& options) {
  return node_service::start(options);
}

}  // namespace firstlight
