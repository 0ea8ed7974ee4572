#pragma once
#include <memory>

#include "actors/hub/dense_packer.hpp"
#include "actors/hub/hub_root.hpp"
#include "actors/net/admin_server.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/metrics_server.hpp"
#include "config/hub_options.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// The running HUB: builds every object, hands it down, and ends them in order. One thread starts and
/// destroys it; `system` outlives it.
class hub_daemon {
 public:
  /// Listens for nodes and for the local command line when it returns. Errors: those of the stores (`busy`: a
  /// hub has this store open), of the TLS files, of the listener and the socket.
  [[nodiscard]] static result<std::unique_ptr<hub_daemon>> start(caf::actor_system& system,
                                                                 const hub_options& options,
                                                                 const std::string& version);
  /// Ends all sessions, the actors, then the stores; what was ingested is durable.
  ~hub_daemon();
  hub_daemon(const hub_daemon&) = delete;
  hub_daemon& operator=(const hub_daemon&) = delete;

 private:
  hub_daemon(caf::actor_system& system, const hub_options& options);
  result<void> open_stores(const hub_options& options);
  result<void> spawn_guard(const hub_options& options);
  void spawn_library(const hub_options& options);
  result<void> spawn_actors(const hub_options& options, const std::string& version);
  result<void> listen(const hub_options& options, const std::string& version);
  result<void> join_peers(const hub_options& options, const std::string& version);

  caf::actor_system& system_;
  std::unique_ptr<database> metadata_;
  std::unique_ptr<content_store> contents_;
  std::unique_ptr<image_catalogue> catalogue_;
  std::unique_ptr<trace_store> traces_;
  learning_options learning_;
  std::unique_ptr<layer_cache> layers_;
  std::unique_ptr<segment_cache> segments_;
  std::unique_ptr<segment_builder> builder_;
  std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<std::atomic<bool>> draining_ = std::make_shared<std::atomic<bool>>(false);
  worker_pool ingesters_;
  worker_pool sweepers_;
  worker_pool lookers_;
  worker_pool openers_;
  worker_pool planners_;
  worker_pool savers_;
  worker_pool builders_;
  worker_pool learners_;
  worker_pool packers_;
  worker_pool trace_readers_;
  worker_pool askers_;
  access_guard guard_;
  image_library library_;
  trace_aggregator aggregator_;
  dense_packer packer_;
  std::vector<hub_link> peer_links_;
  std::vector<hub_peer> peers_;
  hub_root root_;
  std::shared_ptr<const session_tools> session_tools_;
  kj_loop loop_;
  std::unique_ptr<hub_listener> listener_;
  std::unique_ptr<admin_server> admin_;
  std::unique_ptr<metrics_server> metrics_;
};

}  // namespace firstlight
