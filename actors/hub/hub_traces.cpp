#include "actors/hub/hub_traces.hpp"

#include <algorithm>
#include <set>

#include "model/image_reference.hpp"
#include "model/order_plot.hpp"
#include "model/platform.hpp"
#include "schemas/toc_contents.hpp"
#include "storage/packed_score.hpp"

namespace firstlight {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::uint64_t bytes_of(const toc_view& toc, std::span<const block_run> runs) {
  std::uint64_t bytes = 0;
  for (const auto& run : runs)
    if (run.content < toc.content_count())
      bytes += toc.geometry().length(toc.content_size(run.content), run.first, run.count);
  return bytes;
}

result<admin_traced_image> describe(const hub_trace_tools& tools, const image_record& record,
                                    std::uint32_t traces) {
  const auto order = tools.catalogue.order(record.toc);
  if (!order) return tl::unexpected(order.error());
  const auto toc = tools.catalogue.toc(record.toc);
  if (!toc) return tl::unexpected(toc.error());
  return admin_traced_image{record.reference,
                            record.platform,
                            record.toc.value.hex(),
                            traces,
                            order->traces,
                            order->relative,
                            static_cast<std::uint32_t>(order->runs.size()),
                            bytes_of(**toc, std::span(order->runs).first(order->guessed))};
}

std::uint64_t in_milliseconds(nanoseconds time) {
  return static_cast<std::uint64_t>(duration_cast<milliseconds>(time).count());
}

admin_trace describe(const trace& one) {
  admin_trace said{one.id.value.hex(),
                   one.node,
                   one.group,
                   duration_cast<seconds>(one.started).count(),
                   static_cast<std::uint32_t>(one.files.size()),
                   0,
                   0,
                   0};
  nanoseconds last{0};
  nanoseconds wait{0};
  for (const auto& file : one.files) {
    last = std::max(last, file.access);
    wait += file.wait;
    for (const auto& run : file.runs) {
      said.blocks += run.count;
      last = std::max(last, run.access);
    }
  }
  said.span_ms = in_milliseconds(last);
  said.wait_ms = in_milliseconds(wait);
  return said;
}

std::uint64_t in_nanoseconds(nanoseconds time) {
  return static_cast<std::uint64_t>(time.count());
}

std::vector<admin_trace_file> items_of(const trace& one) {
  std::vector<admin_trace_file> items;
  items.reserve(one.files.size());
  for (const auto& file : one.files) {
    admin_trace_file item{file.path, in_nanoseconds(file.access), in_nanoseconds(file.wait), {}};
    for (const auto& run : file.runs)
      item.runs.push_back({run.first, run.count, in_nanoseconds(run.access), in_nanoseconds(run.wait)});
    items.push_back(std::move(item));
  }
  return items;
}

error no_such_trace(const image_record& record, const std::string& id) {
  return {errc::not_found, record.reference + " has no trace " + id + "; 'firstlight trace show' lists them"};
}

/// By the beginning of its id.
result<trace_id> find_id(const image_record& record, const std::string& id,
                         const std::vector<trace_stamp>& stamps) {
  const auto fits = [&](const trace_stamp& one) { return one.id.value.hex().starts_with(id); };
  const auto found = std::find_if(stamps.begin(), stamps.end(), fits);
  if (found == stamps.end()) return tl::unexpected(no_such_trace(record, id));
  if (std::any_of(found + 1, stamps.end(), fits))
    return fail(errc::invalid_argument,
                "several traces of " + record.reference + " begin with " + id + "; give more of the id");
  return found->id;
}

result<trace> find_trace(const hub_trace_tools& tools, const image_record& record, const std::string& id,
                         const std::vector<trace_stamp>& stamps) {
  const auto found = find_id(record, id, stamps);
  if (!found) return tl::unexpected(found.error());
  auto one = tools.traces.find(*found);
  if (!one) return tl::unexpected(one.error());
  if (!*one) return tl::unexpected(no_such_trace(record, id));  // removed meanwhile
  return std::move(**one);
}

result<admin_trace_detail> show_trace(const hub_trace_tools& tools, const image_record& record,
                                      const std::string& id) {
  const auto stamps = tools.traces.stamps(record.toc);
  if (!stamps) return tl::unexpected(stamps.error());
  const auto one = find_trace(tools, record, id, *stamps);
  if (!one) return tl::unexpected(one.error());
  auto image = describe(tools, record, static_cast<std::uint32_t>(stamps->size()));
  if (!image) return tl::unexpected(image.error());
  return admin_trace_detail{std::move(*image), {describe(*one)}, {}, items_of(*one)};
}

std::set<toc_id> known_of(const std::vector<image_record>& records) {
  std::set<toc_id> known;
  for (const auto& record : records) known.insert(record.toc);
  return known;
}

/// Traces of images that are not here are listed without a platform.
result<void> add_orphans(const hub_trace_tools& tools, const std::set<toc_id>& known,
                         admin_trace_list& list) {
  const auto all = tools.traces.stamps();
  if (!all) return tl::unexpected(all.error());
  for (const auto& [image, traces] : *all)
    if (!known.contains(image))
      list.images.push_back({.reference = traces.back().reference,
                             .toc = image.value.hex(),
                             .traces = static_cast<std::uint32_t>(traces.size())});
  return {};
}

result<removed_traces> remove_orphans(const hub_trace_tools& tools) {
  const auto records = tools.catalogue.list_whole();
  if (!records) return tl::unexpected(records.error());
  const auto known = known_of(*records);
  const auto traced = tools.traces.images();
  if (!traced) return tl::unexpected(traced.error());
  removed_traces removed;
  for (const auto& [image, traces] : *traced)
    if (!known.contains(image)) removed.images.insert(image);
  const auto gone = tools.traces.remove_orphans(known);
  if (!gone) return tl::unexpected(gone.error());
  removed.traces = gone->traces;
  return removed;
}

// ---- scores ------------------------------------------------------------------------------------

/// What scoring one image works with.
struct scorer {
  const hub_trace_tools& tools;
  const admin_trace_score& asked;
  std::shared_ptr<const toc_view> toc;
  toc_id id;
  std::vector<content_info> contents;
  std::vector<observed_start> starts;  ///< by `ids`
  std::vector<trace_id> ids;
  stored_order guessed;
  std::vector<trace_stamp> stamps{};  ///< by `ids`
};

/// Learned from all other starts: never from the one that is scored.
content_order learned_without(const scorer& my, std::size_t left_out) {
  std::vector<trace_stamp> stamps;
  for (std::size_t i = 0; i < my.stamps.size(); ++i)
    if (i != left_out && (my.asked.traces_max == 0 || stamps.size() < my.asked.traces_max))
      stamps.push_back(my.stamps[i]);
  const auto selected = select_traces(stamps, my.tools.learning.selection);
  std::vector<observed_start> others;
  for (std::size_t i = 0; i < my.starts.size(); ++i)
    if (const auto weight = selected.find(my.ids[i]); weight != selected.end())
      others.push_back({my.starts[i].accesses, weight->second});
  return as_content_order(order_from(my.tools.learn(), *my.toc, others, my.guessed));
}

result<content_order> order_named(const scorer& my, const std::string& name, std::size_t start) {
  if (name == "traced") return learned_without(my, start);
  if (name == "static") return as_content_order(my.guessed);
  if (name == "image") return content_order{};
  if (name == "oracle") return oracle_order(my.starts[start]);
  if (name != "relative")
    return fail(errc::invalid_argument, "'" + name + "' is none of traced, relative, static, image, oracle");
  const auto relatives = relatives_starts(my.tools.learn(), my.id);
  if (!relatives) return tl::unexpected(relatives.error());
  if (relatives->starts.empty()) return fail(errc::not_found, "no relative of this image has traces");
  return as_content_order(order_from_relative(my.tools.learn(), *my.toc, *relatives, my.guessed));
}

std::uint64_t in_microseconds(nanoseconds time) {
  return static_cast<std::uint64_t>(duration_cast<std::chrono::microseconds>(time).count());
}

admin_trace_score_row row_of(const std::string& order, const trace_id& id, const order_score& score) {
  admin_trace_score_row row{order,
                            id.value.hex(),
                            in_microseconds(score.stall),
                            in_microseconds(score.end),
                            score.misses,
                            score.touched_bytes,
                            score.sent_bytes,
                            {},
                            0,
                            0};
  for (std::size_t i = 0; i < recall_percents.size(); ++i)
    row.recall.push_back({recall_percents.at(i), static_cast<std::uint32_t>(score.recall.at(i) * 100 + 0.5)});
  return row;
}

/// As dense as the hub sends it once it has had the time.
result<void> add_packed(const scorer& my, std::size_t start, const content_order& order,
                        admin_trace_score_row& row) {
  const auto& packs = my.tools.packs;
  if (packs.contents == nullptr) return fail(errc::unsupported, "there are no contents to pack");
  auto limits = packs.packing;
  if (limits.dense_level > 0) limits.compression_level = static_cast<int>(limits.dense_level);
  segment_builder builder(*packs.contents, nullptr, my.toc->geometry(), limits);
  const packed_count how{*packs.contents, builder, my.contents, my.toc->geometry(), packs.cut, my.tools.stop};
  const auto touched = packed_touched(how, my.starts[start]);
  const auto sent = touched ? packed_sent(how, my.starts[start], order) : touched;
  if (!sent) return tl::unexpected(sent.error());
  row.packed_touched_bytes = *touched;
  row.packed_sent_bytes = *sent;
  return {};
}

result<scorer> scorer_for(const hub_trace_tools& tools, const admin_trace_score& asked) {
  if (asked.bytes_per_second == 0) return fail(errc::invalid_argument, "the link needs a rate above 0");
  const auto record = record_of(tools, asked.reference, asked.platform);
  if (!record) return tl::unexpected(record.error());
  auto toc = tools.catalogue.toc(record->toc);
  if (!toc) return tl::unexpected(toc.error());
  auto guessed = tools.catalogue.order(record->toc, order_kind::guessed);
  if (!guessed) return tl::unexpected(guessed.error());
  auto traces = tools.traces.of_image(record->toc);
  if (!traces) return tl::unexpected(traces.error());
  scorer made{tools, asked, *toc, record->toc, contents_of(**toc), {}, {}, guessed->value_or(stored_order{})};
  std::sort(traces->begin(), traces->end(),
            [](const trace& a, const trace& b) { return a.started > b.started; });
  for (const auto& one : *traces) {
    auto start = observe(**toc, one);
    const bool blocks = std::any_of(one.files.begin(), one.files.end(),
                                    [](const traced_file& file) { return !file.runs.empty(); });
    if (!start || !blocks) continue;  // without blocks there is nothing to replay
    made.starts.push_back(std::move(*start));
    made.ids.push_back(one.id);
    made.stamps.push_back(stamp_of(one, 0));
  }
  if (made.starts.empty())
    return fail(errc::not_found, "no recorded start of " + record->reference +
                                     " tells blocks; make one with 'firstlight trace record'");
  return made;
}

}  // namespace

result<image_record> record_of(const hub_trace_tools& tools, const std::string& named,
                               const std::string& on_platform) {
  const auto reference = parse_image_reference(named);
  if (!reference) return tl::unexpected(reference.error());
  const auto wanted = parse_platform(on_platform.empty() ? tools.platform : on_platform);
  if (!wanted) return tl::unexpected(wanted.error());
  const auto record = tools.catalogue.find(reference->text(), wanted->text());
  if (!record) return tl::unexpected(record.error());
  if (!*record)
    return fail(errc::not_found, "image " + reference->text() + " (" + wanted->text() +
                                     ") is not known; 'firstlight image ls' shows what is");
  return **record;
}

result<admin_trace_list> list_traces(const hub_trace_tools& tools) {
  const auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  const auto counts = tools.traces.images();
  if (!counts) return tl::unexpected(counts.error());
  admin_trace_list list;
  for (const auto& record : *records) {
    const auto count = counts->find(record.toc);
    auto said = describe(tools, record, count == counts->end() ? 0 : count->second);
    if (!said) return tl::unexpected(said.error());
    list.images.push_back(std::move(*said));
  }
  if (auto added = add_orphans(tools, known_of(*records), list); !added) return tl::unexpected(added.error());
  return list;
}

result<admin_trace_detail> show_traces(const hub_trace_tools& tools, const admin_trace_show& asked) {
  const auto record = record_of(tools, asked.reference, asked.platform);
  if (!record) return tl::unexpected(record.error());
  if (!asked.trace.empty()) return show_trace(tools, *record, asked.trace);
  auto traces = tools.traces.of_image(record->toc);
  if (!traces) return tl::unexpected(traces.error());
  auto image = describe(tools, *record, static_cast<std::uint32_t>(traces->size()));
  if (!image) return tl::unexpected(image.error());
  admin_trace_detail detail{std::move(*image), {}, {}, {}};
  std::sort(traces->begin(), traces->end(),
            [](const trace& a, const trace& b) { return a.started > b.started; });
  for (const auto& one : *traces) detail.traces.push_back(describe(one));
  if (asked.order_max == 0) return detail;
  const auto toc = tools.catalogue.toc(record->toc);
  const auto order = tools.catalogue.order(record->toc);
  if (!toc || !order) return tl::unexpected(toc ? order.error() : toc.error());
  const auto paths = content_paths(**toc);
  for (std::size_t i = 0; i < std::min<std::size_t>(order->runs.size(), asked.order_max); ++i) {
    const auto& run = order->runs[i];
    const std::uint32_t percent = i < order->read_percents.size() ? order->read_percents[i] : 0U;
    if (run.content < paths.size())
      detail.order.push_back({paths[run.content], run.first, run.count, i < order->guessed, percent});
  }
  return detail;
}

result<admin_trace_scores> score_traces(const hub_trace_tools& tools, const admin_trace_score& asked) {
  const auto my = scorer_for(tools, asked);
  if (!my) return tl::unexpected(my.error());
  const modelled_link link{.round_trip = milliseconds(asked.round_trip_ms),
                           .bytes_per_second = static_cast<double>(asked.bytes_per_second),
                           .hub = tools.delivery};
  admin_trace_scores scores;
  for (const auto& name : asked.orders) {
    std::optional<content_order> for_all;  // the relative's takes long to find
    for (std::size_t i = 0; i < my->starts.size(); ++i) {
      if (name == "traced" && my->starts.size() < 2)
        return fail(
            errc::not_found,
            "a traced order is scored by a start that it was not learned from: two recorded starts are "
            "needed; make one with 'firstlight trace record', or leave traced out with --order");
      if (tools.stop != nullptr && tools.stop->load()) return fail(errc::cancelled, "the hub ends");
      auto order = for_all ? result<content_order>(*for_all) : order_named(*my, name, i);
      if (!order) return tl::unexpected(order.error());
      if (name == "relative") for_all = *order;
      const auto score = score_order(my->starts[i], *order, my->contents, my->toc->geometry(), link);
      scores.rows.push_back(row_of(name, my->ids[i], score));
      if (asked.packed)
        if (auto added = add_packed(*my, i, *order, scores.rows.back()); !added)
          return tl::unexpected(added.error());
      if (asked.plot && scores.svg.empty())
        scores.svg = plot_replay(score, content_paths(*my->toc),
                                 asked.reference + ", order: " + name + ", round trip " +
                                     std::to_string(asked.round_trip_ms) + " ms");
    }
  }
  return scores;
}

result<removed_traces> remove_traces(const hub_trace_tools& tools, const admin_trace_remove& asked) {
  if (asked.reference.empty()) return remove_orphans(tools);
  const auto record = record_of(tools, asked.reference, asked.platform);
  if (!record) return tl::unexpected(record.error());
  removed_traces removed{{record->toc}, 0};
  if (asked.id.empty()) {
    const auto all = tools.traces.remove_all(record->toc);
    if (!all) return tl::unexpected(all.error());
    removed.traces = *all;
    return removed;
  }
  const auto stamps = tools.traces.stamps(record->toc);
  if (!stamps) return tl::unexpected(stamps.error());
  const auto found = find_id(*record, asked.id, *stamps);
  if (!found) return tl::unexpected(found.error());
  if (auto gone = tools.traces.remove(*found); !gone) return tl::unexpected(gone.error());
  removed.traces = 1;
  return removed;
}

}  // namespace firstlight
