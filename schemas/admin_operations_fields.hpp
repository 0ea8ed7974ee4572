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

}  // namespace firstlight::detail
