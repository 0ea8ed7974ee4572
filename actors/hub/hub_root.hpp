#pragma once
#include <map>

#include "actors/followed_events.hpp"
#include "actors/hub/hub_peer.hpp"
#include "actors/hub/hub_traces.hpp"
#include "actors/hub/image_library.hpp"
#include "actors/hub/node_session.hpp"
#include "actors/hub/save_bundle.hpp"
#include "actors/net/hub_listener.hpp"
#include "schemas/admin.hpp"
#include "storage/segment_cache.hpp"

namespace firstlight {

/// A node has joined; its session ends by itself.
struct session_opened {
  node_identity who;
  reporting_session session;
};

/// The listener is up.
struct listening {
  std::string address;  ///< host:port
};

/// HUB ROOT: answers the hub's admin requests, and knows the sessions.
using hub_root = admin_service::extend<caf::reacts_to<session_opened>, caf::reacts_to<listening>,
                                       // Passed on to the sessions.
                                       caf::reacts_to<order_learned>, caf::reacts_to<trace_added>>;

/// What the root answers from. The stores outlive it.
struct hub_root_tools {
  image_library library;
  trace_aggregator aggregator;
  std::vector<hub_peer> peers;
  image_catalogue& catalogue;
  trace_store& traces;
  const learning_options& learning;
  worker_pool trace_readers;  ///< show, score and remove traces; learning has its own
  content_store& contents;
  const segment_cache& segments;
  std::string version;
  std::string name;
  std::string platform;  ///< of images that are added without one
  preparation_tools preparation;
  segment_builder& builder;
  worker_pool savers;                           ///< write bundle files, one after another
  std::shared_ptr<std::atomic<bool>> stop;      ///< set before the savers are ended
  std::shared_ptr<std::atomic<bool>> draining;  ///< sessions refuse new pulls
  std::uint64_t store_bytes_max = 0;
  delivery_limits delivery{};                                   ///< as sessions have them
  segment_limits packing{};                                     ///< as the builder has them
  std::uint64_t page_bytes = admin_socket_limits{}.page_bytes;  ///< of exported traces
  std::chrono::milliseconds report_timeout{2'000};              ///< for a session to report itself

  [[nodiscard]] hub_trace_tools trace_tools() const {
    return {catalogue,  traces,   learning,   platform,
            stop.get(), delivery, page_bytes, {&contents, preparation.plan, packing}};
  }
};

/// Trace files that nobody could read, beside those that the aggregator has refused. Of this process.
struct unreadable_files {
  std::uint64_t count = 0;
  std::vector<std::string> why;  ///< of at most `refusals_shown_max`, the latest first
};

struct hub_root_state {
  static inline const char* name = "hub-root";
  std::string listen;
  followed_events events;
  std::map<caf::actor_addr, session_opened> sessions;
  std::chrono::steady_clock::time_point started;
  unreadable_files refused;
};

hub_root::behavior_type make_hub_root(hub_root::stateful_pointer<hub_root_state> self, hub_root_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::session_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::listening)
