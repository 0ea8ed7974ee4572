#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "actors/net/admin_port.hpp"
#include "actors/net/admin_server.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/metrics_server.hpp"
#include "actors/node/node_root.hpp"
#include "config/node_options.hpp"
#include "storage/snapshot_records.hpp"
#include "storage/trace_drafts.hpp"
#include "storage/trace_store.hpp"

namespace firstlight {

/// The running NODE: builds every object, hands it down, and ends them in order. One thread starts and
/// destroys it; `system` outlives it.
class node_daemon {
 public:
  /// Cleans what an earlier process has left, except the mounts `kept`, which are taken over next, and makes
  /// the mounter over the content store; the layer above has it (fuse_bridge/mounter.hpp). `plans` are made
  /// for it when the tree of an image arrives. Called once.
  using mounter_factory =
      std::function<result<mounter>(const content_store& store, const std::shared_ptr<erofs_plans>& plans,
                                    const std::vector<left_mount>& kept)>;

  /// `keeper_problem` is shown in `status`, see node_root_tools. Answers the local command line when it
  /// returns; the hub need not be there. Goes on with the mounts `kept` of an earlier process whose images
  /// are stored. Errors: those of the stores
  /// (`busy`: a node has this store open), of the TLS files and of the socket.
  [[nodiscard]] static result<std::unique_ptr<node_daemon>> start(
      caf::actor_system& system, const node_options& options, const std::string& version,
      std::vector<kept_mount> kept, const mounter_factory& make_mounter,
      std::function<std::string()> keeper_problem = {}, image_registrar registrar = {});
  /// Takes the mounts down, ends the actors, then the stores; what has arrived is durable.
  ~node_daemon();
  node_daemon(const node_daemon&) = delete;
  node_daemon& operator=(const node_daemon&) = delete;

  /// Serves containerd's snapshots; none if the options name no socket for it.
  [[nodiscard]] const snapshotter& snapshots() const { return snapshotter_; }

  /// Finds logins to registries, and is told of those that come with requests.
  [[nodiscard]] const login_keeper& logins() const { return logins_; }

  /// Where the FUSE mounts below overlays are made.
  [[nodiscard]] static std::filesystem::path mounts_folder(const node_options& options);

 private:
  node_daemon(caf::actor_system& system, const node_options& options);
  result<void> open_stores(const node_options& options);
  result<void> open_snapshots(const node_options& options);
  void spawn_snapshotter(const node_options& options, const platform& home);
  result<void> spawn_actors(const node_options& options, const std::string& version,
                            const std::vector<left_mount>& left, const mounter_factory& make_mounter);

  result<void> serve_other_machines(const node_options& options);

  caf::actor_system& system_;
  std::unique_ptr<database> metadata_;
  std::unique_ptr<content_store> contents_;
  std::unique_ptr<image_catalogue> catalogue_;
  std::unique_ptr<layer_registry> layers_;
  std::optional<snapshot_records> snapshots_;  // until the snapshotter has them
  std::unique_ptr<trace_store> unsent_traces_;
  std::unique_ptr<trace_drafts> trace_drafts_;
  std::unique_ptr<trace_switches> switches_;
  worker_pool workers_;
  std::function<std::string()> keeper_problem_;
  image_registrar registrar_;
  worker_pool keepers_;
  worker_pool loaders_;
  worker_pool snapshot_workers_;
  worker_pool login_workers_;
  std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  kj_loop loop_;
  mounter mounter_;
  layer_store layer_store_;
  login_keeper logins_;
  hub_link link_;
  trace_collector collector_;
  node_root root_;
  snapshotter snapshotter_;
  std::unique_ptr<admin_server> admin_;
  std::unique_ptr<admin_port> admin_port_;
  std::unique_ptr<metrics_server> metrics_;
};

}  // namespace firstlight
