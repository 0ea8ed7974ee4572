#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// What operators ask daemons to do or tell, beside images, mounts and traces: part of schemas/admin.hpp.
namespace firstlight {

// ---- requests to the node --------------------------------------------------------------------------

/// Forgets an image that no mount has, or (empty) all such images, with the contents that nothing else needs.
/// Answered by `admin_evicted`.
struct admin_evict {
  std::string reference;
  std::string platform;
  friend bool operator==(const admin_evict&, const admin_evict&) = default;
};
/// Ends the link to the hub and dials anew. Answered by `admin_done`.
struct admin_reconnect {
  friend bool operator==(const admin_reconnect&, const admin_reconnect&) = default;
};

// ---- requests to both --------------------------------------------------------------------------------

/// A draining node refuses new mounts and pulls, a draining hub new pulls; what is under way goes on.
/// Answered by `admin_done`.
struct admin_drain {
  bool on = false;
  friend bool operator==(const admin_drain&, const admin_drain&) = default;
};
/// Until the daemon is started again. Answered by `admin_done`.
struct admin_log_level {
  std::string level;  ///< trace, debug, info, warn, error
  friend bool operator==(const admin_log_level&, const admin_log_level&) = default;
};
/// Answered by `admin_events`.
struct admin_events_request {
  std::uint64_t after = 0;  ///< events with a higher number; 0: all that are remembered
  friend bool operator==(const admin_events_request&, const admin_events_request&) = default;
};

// ---- replies -----------------------------------------------------------------------------------------

struct admin_evicted {
  std::vector<std::string> references;
  std::uint64_t bytes = 0;  ///< of contents that were removed
  friend bool operator==(const admin_evicted&, const admin_evicted&) = default;
};
/// Something that has happened.
struct admin_event {
  std::uint64_t number = 0;  ///< counts from 1 in each process
  std::int64_t at_ms = 0;    ///< milliseconds since the epoch
  std::string kind;          ///< "mounted", "delivery complete", "node joined", ...
  std::string about;         ///< whom or what
  friend bool operator==(const admin_event&, const admin_event&) = default;
};
struct admin_events {
  std::vector<admin_event> events;
  friend bool operator==(const admin_events&, const admin_events&) = default;
};

}  // namespace firstlight
