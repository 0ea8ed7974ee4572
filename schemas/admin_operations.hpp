#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "schemas/admin_values.hpp"

/// What operators ask daemons to do or tell, beside images, mounts and traces: part of schemas/admin.hpp.
namespace firstlight {

// ---- requests to the node --------------------------------------------------------------------------

/// Forgets an image that no mount has, or (empty) all such images, with the contents that nothing else needs.
/// An image whose record cannot be read is forgotten by its name only; its contents stay. Answered by
/// `admin_evicted`.
struct admin_evict {
  std::string reference;
  std::string platform;
  friend bool operator==(const admin_evict&, const admin_evict&) = default;
};
/// Ends the link to the hub and dials anew. Answered by `admin_done`.
struct admin_reconnect {
  friend bool operator==(const admin_reconnect&, const admin_reconnect&) = default;
};
/// Answered by `admin_waiters`.
struct admin_waiters_request {
  friend bool operator==(const admin_waiters_request&, const admin_waiters_request&) = default;
};
/// Answered by `admin_receivers`.
struct admin_receivers_request {
  friend bool operator==(const admin_receivers_request&, const admin_receivers_request&) = default;
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
  bool wait = false;        ///< if there are none, answered with the next one; with none if too many wait
  friend bool operator==(const admin_events_request&, const admin_events_request&) = default;
};

// ---- replies -----------------------------------------------------------------------------------------

struct admin_evicted {
  std::vector<std::string> references;  ///< behind one whose record could not be read: that in parentheses
  std::uint64_t bytes = 0;              ///< of contents that were removed
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
/// A process that waits for blocks right now.
struct admin_waiter {
  std::string mount;  ///< its name
  std::string reference;
  std::uint32_t process = 0;  ///< or the thread of one, as the kernel names it
  std::string command;        ///< its name; empty when it has ended meanwhile
  std::string path;           ///< in the image; bytes that are not UTF-8 are shown as U+FFFD
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;
  std::uint32_t first_block = 0;  ///< of the file's content
  std::uint32_t blocks = 0;
  std::int64_t since_ms = 0;  ///< milliseconds since the epoch
  std::uint64_t waiting_ms = 0;
  std::string cause;  ///< what it waits for
  friend bool operator==(const admin_waiter&, const admin_waiter&) = default;
};
struct admin_waiters {
  std::vector<admin_waiter> waiters;  ///< of each mount the oldest, at most `fuse.waits_shown_max`
  std::uint64_t count = 0;            ///< of all that wait
  friend bool operator==(const admin_waiters&, const admin_waiters&) = default;
};
/// One receiver for each image: the running ones, then those that have ended, the latest first.
struct admin_receivers {
  std::vector<admin_delivery> receivers;
  friend bool operator==(const admin_receivers&, const admin_receivers&) = default;
};

}  // namespace firstlight
