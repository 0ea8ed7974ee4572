#include "actors/hub/believed_trace.hpp"

#include <algorithm>

#include "model/node_clock.hpp"
#include "schemas/toc_contents.hpp"
#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

/// A node says when its start began, but not when it was received: that counts for days and ages.
void note_receipt(const aggregator_tools& tools, const std::string& node, trace& recorded) {
  const auto now = tools.now();
  const bool own = !node.empty() || (recorded.node == imported_node && recorded.received.count() == 0);
  if (!node.empty()) recorded.node = node == imported_node ? "node " + node : node;
  if (!node.empty()) recorded.spelling = {};  // that of imported ones alone
  recorded.started = std::min(recorded.started, now);
  if (own) recorded.received = now;
  if (recorded.received.count() <= 0) recorded.received = recorded.started;  // of a hub of an earlier version
  recorded.received = std::min(recorded.received, now);
}

/// The clocks of nodes differ; what a hub passes on is by a hub's.
result<void> note_start(const aggregator_tools& tools, const trace_report& report, trace& recorded) {
  if (report.node.empty()) return {};
  const auto sent = decode_sent(report.encoded.bytes);
  if (!sent) return tl::unexpected(sent.error());
  recorded.started =
      start_by_hub_clock({recorded.started, *sent, tools.now()}, tools.options.traces.clock_error_max);
  return {};
}

/// What was removed is forgotten some day; until then it must not be taken for new.
result<void> check_age(const aggregator_tools& tools, const std::string& node, const trace& recorded) {
  const auto since = node.empty() ? recorded.received : recorded.started;
  if (since >= tools.now() - tools.options.kept.removed_time) return {};
  return fail(errc::invalid_argument, "removed_traces_time: the trace is too old");
}

}  // namespace

result<trace> believed_trace(const aggregator_tools& tools, const trace_report& report) {
  if (report.encoded.bytes.size() > tools.options.trace_bytes_max)
    return fail(errc::limit_exceeded, "trace_bytes_max: the trace is too long");
  auto recorded = decode_trace(report.encoded.bytes);
  if (!recorded) return recorded;
  if (auto noted = note_start(tools, report, *recorded); !noted) return tl::unexpected(noted.error());
  if (auto good = check_trace(*recorded, tools.options.traces, tools.now()); !good)
    return tl::unexpected(good.error());
  note_receipt(tools, report.node, *recorded);
  if (auto young = check_age(tools, report.node, *recorded); !young) return tl::unexpected(young.error());
  const auto toc = tools.catalogue.toc(recorded->toc);
  if (!toc) return recorded;  // its image may come later
  if (auto fits = observe(**toc, *recorded); !fits) return tl::unexpected(fits.error());
  return recorded;
}

}  // namespace firstlight
