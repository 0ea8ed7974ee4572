#pragma once
#include <string>

#include "model/learned_order.hpp"
#include "model/recording.hpp"
#include "model/relative_order.hpp"
#include "model/trace.hpp"
#include "model/trace_eviction.hpp"
#include "model/trace_selection.hpp"

namespace firstlight {

/// Recording of starts on a node.
struct recording_options {
  std::string mode = "always";                     ///< always, first (the first `starts` of an image), never
  std::uint32_t starts = 8;                        ///< with mode first
  std::uint32_t unsent_max = 1024;                 ///< traces kept while the hub is away; the oldest go first
  bool watch_opens = true;                         ///< also files that are read without FUSE (fanotify)
  std::chrono::milliseconds check_interval{500};   ///< how often it is looked whether a start has settled
  std::chrono::milliseconds keep_interval{2'000};  ///< how often it is written what a start has read by now
  std::chrono::milliseconds retry_interval{
      5'000};                                 ///< before a trace that the hub could not take is sent again
  std::uint64_t trace_bytes_max = 3U << 20U;  ///< of one trace, below what hubs take; the latest accesses go
  recording_limits limits;
};

/// What a store of traces keeps.
struct trace_store_limits {
  std::uint32_t kept_max = 256;  ///< traces of one image; of more the oldest of the busiest node go
  std::uint64_t kept_bytes_max = 64U << 20U;  ///< of all traces of one image; of more those of the node with
                                              ///< the most bytes go
  std::uint32_t removed_max = 262'144;        ///< ids of removed traces, which do not come back
  std::chrono::milliseconds removed_time{std::chrono::days(365)};  ///< then they are forgotten, and traces so
                                                                   ///< old refused
};

/// Learning from traces on a hub.
struct learning_options {
  trace_limits traces;
  trace_selection_limits selection;
  learned_order_limits order;
  trace_store_limits kept;
  trace_room orphans{4096, 256U << 20U, 512};  ///< traces of images that the hub does not have
  std::uint32_t trace_bytes_max = 4U << 20U;   ///< of one encoded trace
  std::uint32_t relatives_max = 8;  ///< images that are looked at for one without traces of its own
  std::uint32_t followers_max =
      32;  ///< images without traces that are compared with one that has a new trace
  relative_order_limits relatives;
  std::uint32_t relative_maps_max = 256;       ///< changed files of a relative whose symbols are read
  std::uint32_t refusals_shown_max = 16;       ///< reasons kept for status
  std::chrono::milliseconds gather_time{100};  ///< traces that come together are learned from together
  std::chrono::milliseconds forget_interval{
      std::chrono::hours(1)};  ///< how often it is looked which removed traces can be forgotten
  std::chrono::milliseconds peer_interval{500};  ///< before another hub is tried again after a failure, and
                                                 ///< between questions to one that does not wait for news
  std::chrono::milliseconds peer_wait{10'000};   ///< without news other hubs are answered after it
  std::uint32_t peers_waiting_max = 64;          ///< other hubs that wait for news; more are answered at once
  std::uint32_t peer_calls_max = 16;             ///< traces on their way to another hub, and as many from it
  std::uint32_t peer_ids_max = 4096;             ///< ids in one answer to another hub
  std::uint32_t peer_known_max = 1U << 20U;      ///< ids that another hub may list, removed ones included
};

}  // namespace firstlight
