#pragma once
#include "schemas/admin_operations.hpp"

/// Included by admin_fields.hpp, in its namespace's terms.
namespace firstlight::detail {

template <class Io>
void fields(Io& io, accessed<Io, admin_evict>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_drain>& v) {
  io("on", v.on);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_log_level>& v) {
  io("level", v.level);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_events_request>& v) {
  io("after", v.after);
  io("wait", v.wait);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_evicted>& v) {
  io("references", v.references);
  io("bytes", v.bytes);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_event>& v) {
  io("number", v.number);
  io("at_ms", v.at_ms);
  io("kind", v.kind);
  io("about", v.about);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_events>& v) {
  io("events", v.events);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_waiter>& v) {
  io("mount", v.mount);
  io("reference", v.reference);
  io("process", v.process);
  io("command", v.command);
  io("path", v.path);
  io("offset", v.offset);
  io("bytes", v.bytes);
  io("first_block", v.first_block);
  io("blocks", v.blocks);
  io("since_ms", v.since_ms);
  io("waiting_ms", v.waiting_ms);
  io("cause", v.cause);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_waiters>& v) {
  io("waiters", v.waiters);
  io("count", v.count);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_receivers>& v) {
  io("receivers", v.receivers);
}

}  // namespace firstlight::detail
