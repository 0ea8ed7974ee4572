#pragma once
#include "schemas/admin_learning.hpp"

/// Included by admin_fields.hpp, in its namespace's terms.
namespace firstlight::detail {

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_show>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("order_max", v.order_max);
  io("trace", v.trace);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_import>& v) {
  io("files", v.files);
  io("platform", v.platform);
  io("first", v.first);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_export>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("after", v.after);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_remove>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("id", v.id);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_score>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("orders", v.orders);
  io("round_trip_ms", v.round_trip_ms);
  io("bytes_per_second", v.bytes_per_second);
  io("traces_max", v.traces_max);
  io("plot", v.plot);
  io("packed", v.packed);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_switch>& v) {
  io("reference", v.reference);
  io("group", v.group);
  io("on", v.on);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_default>& v) {
  io("reference", v.reference);
  io("group", v.group);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_recording>& v) {
  io("mode", v.mode);
  io("starts", v.starts);
  io("words", v.words);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_peer>& v) {
  io("address", v.address);
  io("name", v.name);
  io("state", v.state);
  io("last_error", v.last_error);
  io("traces_sent", v.traces_sent);
  io("traces_fetched", v.traces_fetched);
  io("exchanged_at", v.exchanged_at);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_traced_image>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("toc", v.toc);
  io("traces", v.traces);
  io("learned_from", v.learned_from);
  io("relative", v.relative);
  io("order_runs", v.order_runs);
  io("expected_bytes", v.expected_bytes);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_list>& v) {
  io("images", v.images);
  io("received", v.received);
  io("repeated", v.repeated);
  io("refused", v.refused);
  io("refusals", v.refusals);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace>& v) {
  io("id", v.id);
  io("node", v.node);
  io("group", v.group);
  io("started_at", v.started_at);
  io("files", v.files);
  io("blocks", v.blocks);
  io("span_ms", v.span_ms);
  io("wait_ms", v.wait_ms);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_order_run>& v) {
  io("path", v.path);
  io("first", v.first);
  io("count", v.count);
  io("expected", v.expected);
  io("read_percent", v.read_percent);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_run>& v) {
  io("first", v.first);
  io("count", v.count);
  io("access_ns", v.access_ns);
  io("wait_ns", v.wait_ns);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_file>& v) {
  io("path", v.path);
  io("access_ns", v.access_ns);
  io("wait_ns", v.wait_ns);
  io("runs", v.runs);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_detail>& v) {
  io("image", v.image);
  io("traces", v.traces);
  io("order", v.order);
  io("files", v.files);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_imported>& v) {
  io("added", v.added);
  io("known", v.known);
  io("refused", v.refused);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_text>& v) {
  io("id", v.id);
  io("json", v.json);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_texts>& v) {
  io("traces", v.traces);
  io("collection", v.collection);
  io("more", v.more);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_removed>& v) {
  io("traces", v.traces);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_recall>& v) {
  io("stream_percent", v.stream_percent);
  io("read_percent", v.read_percent);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_score_row>& v) {
  io("order", v.order);
  io("trace", v.trace);
  io("stall_us", v.stall_us);
  io("end_us", v.end_us);
  io("misses", v.misses);
  io("touched_bytes", v.touched_bytes);
  io("sent_bytes", v.sent_bytes);
  io("recall", v.recall);
  io("packed_touched_bytes", v.packed_touched_bytes);
  io("packed_sent_bytes", v.packed_sent_bytes);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_trace_scores>& v) {
  io("rows", v.rows);
  io("svg", v.svg);
}

}  // namespace firstlight::detail
