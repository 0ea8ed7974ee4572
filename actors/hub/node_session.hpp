#pragma once
#include <atomic>
#include <deque>
#include <map>

#include "actors/hub/prepare_delivery.hpp"
#include "actors/hub/warmup_turns.hpp"
#include "config/plan_limits.hpp"
#include "model/credit.hpp"
#include "model/rate_window.hpp"
#include "model/sending_queue.hpp"
#include "model/warmup.hpp"
#include "storage/segment_builder.hpp"

namespace firstlight {

/// One delivery as the hub reports it.
struct delivery_report {
  std::uint64_t id = 0;
  std::string reference;
  std::string platform;
  toc_id toc;
  delivery_counters counters;
  std::uint64_t wire_bytes = 0;             ///< frames that were handed to the link
  std::uint64_t wire_bytes_per_second = 0;  ///< over the last second
  std::uint32_t segments_total = 0;
  std::uint32_t wants = 0;  ///< runs of blocks that the node has asked for out of turn
  bool last_known = false;
  std::chrono::milliseconds elapsed{0};
};

/// One joined node as the hub reports it.
struct session_report {
  std::string node;
  std::int64_t joined_at = 0;  ///< seconds since the epoch
  std::uint64_t wire_bytes = 0;
  std::uint64_t padding_bytes = 0;
  std::uint64_t in_flight_bytes = 0;
  std::uint64_t window_bytes = 0;
  bulk_attached bulk;
  std::vector<delivery_report> deliveries;
};

/// NODE SESSION as the hub's own actors see it: the interface of the link, and a report.
using reporting_session = node_session::extend<caf::replies_to<caf::get_atom>::with<session_report>,
                                               // Plans what has not left of this image anew.
                                               caf::reacts_to<order_learned>,
                                               // To itself: the time has come to warm the connections up.
                                               caf::reacts_to<caf::tick_atom>,
                                               // To itself: there may be credit again.
                                               caf::reacts_to<caf::flush_atom>>;

/// What all sessions share. The stores and the builder outlive them.
struct session_tools {
  image_library library;
  trace_aggregator traces;
  preparation_tools preparation;
  segment_builder& builder;
  worker_pool openers;   ///< prepare what a delivery begins with: the TOC, for which a mount waits
  worker_pool planners;  ///< prepare the rest of it
  worker_pool builders;  ///< build segments
  hub_plan_limits limits;
  std::shared_ptr<warmup_turns> turns = std::make_shared<warmup_turns>();
  std::shared_ptr<const std::atomic<bool>> draining{};  ///< new pulls are refused; may be none
  access_guard guard{};                                 ///< is told which deliveries begin; may be none
};

/// Whose session it is.
struct session_peer {
  std::string node;
  std::string host;     ///< address without port
  bool is_hub = false;  ///< another hub: it exchanges traces, and takes no images
};

/// One delivery that is under way.
struct running_delivery {
  delivery core;
  known_image image;
  std::shared_ptr<const std::vector<content_info>> contents;
  std::shared_ptr<const loans> borrowed;  ///< what other deliveries bring
  std::chrono::milliseconds offset{0};    ///< how long after the first of those beside it its image is read
  std::string platform;
  warmup_turns::turn in_use;  ///< the link, until the delivery ends
  std::uint32_t segments_total = 0;
  std::uint64_t wire_bytes = 0;
  instant since;
  rate_window rate;         ///< of `wire_bytes`
  std::uint32_t wants = 0;  ///< runs that were asked for out of turn
};

struct built_segment {
  std::uint64_t delivery = 0;
  segment data;
};

/// Orders that came while pulls were being answered: their images may have been looked up before.
using orders_meanwhile = std::map<toc_id, std::shared_ptr<const stored_order>>;

/// A pull that is being answered.
struct pull_under_way {
  pull_request request;
  std::shared_ptr<orders_meanwhile> learned;
  warmup_turns::turn in_use;
  caf::typed_response_promise<pull_started> reply;
};

/// A pull whose image is known.
struct pull_to_plan {
  std::uint64_t ticket = 0;  ///< of this session alone: a node may use a delivery's number again
  pull_under_way pull;
  known_image image;
  bool toc_left = false;  ///< the node can mount: now it may be planned
};

struct session_state {
  static inline const char* name = "node-session";
  std::map<std::uint64_t, running_delivery> deliveries;
  std::uint64_t turn = 0;  ///< the delivery that was served last: others go first
  /// Pulls under way that have not been cancelled, and why they cannot go on.
  std::map<std::uint64_t, std::optional<error>> answering;
  std::deque<pull_to_plan> to_plan;  ///< one after the other, as they came: each knows those before it
  std::uint64_t tickets = 0;         ///< given so far
  bool planning = false;
  std::deque<lender> completed;  ///< the last that have brought all: a pull may not have known of it
  std::weak_ptr<orders_meanwhile> meanwhile;  ///< of the pulls under way
  firstlight::credit credit;
  std::shared_ptr<firstlight::warmup> warmup;      ///< its answers may come when another one has begun
  warmup_turns::turn warmup_turn;                  ///< while the warm-up runs
  std::uint64_t token = 0;                         ///< of the credit
  std::map<part_received, std::uint64_t> on_link;  ///< the tokens of what has not been received
  std::optional<double> pace;                      ///< that the link was told
  bool flush_is_due = false;                       ///< a message to itself is on its way
  sending_queue<built_segment> ahead;              ///< segments that workers build, or that wait for credit
  session_report totals;
};

/// Spawns nothing itself: `system.spawn(make_node_session, ...)`. Ends with its exit message.
reporting_session::behavior_type make_node_session(reporting_session::stateful_pointer<session_state> self,
                                                   session_peer who, node_link link, session_tools tools);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::session_report)
