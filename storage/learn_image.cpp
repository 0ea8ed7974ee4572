#include "storage/learn_image.hpp"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "model/name_shape.hpp"
#include "model/trace_transfer.hpp"
#include "schemas/toc_contents.hpp"
#include "schemas/toc_paths.hpp"
#include "storage/image_relatives.hpp"
#include "storage/map_versions.hpp"

namespace firstlight {
namespace {

/// For each content the paths of its files, those of symlinks beside a file behind them: "libc.so.6" may be a
/// link in one version and a file in the next.
std::vector<std::vector<std::string>> names_of(const toc_view& toc) {
  const auto tree = toc.tree();
  const auto files = files_of(tree);
  std::vector<std::vector<std::string>> names(toc.content_count());
  std::unordered_map<content_id, std::uint32_t> numbers;
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) numbers.emplace(toc.content(i).id, i);
  std::unordered_map<std::string, std::uint32_t> by_path;
  for (const auto& file : files) {
    names[numbers.at(file.content.id)].push_back(file.path);
    by_path.emplace(file.path, numbers.at(file.content.id));
  }
  for (const auto& [path, target] : links_of(tree)) {
    const auto folder = path.substr(0, path.size() - base_name(path).size());
    if (const auto file = by_path.find(folder + target); file != by_path.end())
      names[file->second].push_back(path);
  }
  return names;
}

std::optional<std::uint32_t> find_under(const file_mapping& mapping, const std::vector<std::string>& names,
                                        const content_info& content) {
  std::optional<std::uint32_t> found;
  for (const auto& name : names)
    if (!found) found = mapping.find_path(name);
  for (const auto& name : names)
    if (!found) found = mapping.find({name, content});
  return found;
}

/// The starts of a relative with the contents of the wanted image.
/// `expected`: what was guessed of the relative.
relative_starts transferred(const learn_tools& tools, const std::vector<observed_start>& starts,
                            std::span<const block_run> expected, const toc_view& from, const toc_view& to) {
  const auto files = files_of(to.tree());
  const auto contents = contents_of(to);
  const file_mapping mapping(files, contents);
  const auto names = names_of(from);
  std::unordered_map<std::uint32_t, version_map> maps;  // by content of `from`
  const auto moved_to = [&](const traced_run& run, std::uint32_t was, const content_info& now) {
    const auto before = from.content(was);
    auto map = maps.find(was);
    if (map == maps.end()) {
      const bool reads =
          tools.contents != nullptr && maps.size() < tools.options.relative_maps_max && !tools.stopped();
      map = maps.emplace(was, reads ? map_versions(*tools.contents, before, now)
                                    : version_map(before.size, now.size))
                .first;
    }
    return moved_run(run, map->second, before.size, now.size, to.geometry());
  };
  std::vector<std::optional<std::uint32_t>> counterparts;
  for (std::uint32_t i = 0; i < from.content_count(); ++i)
    counterparts.push_back(find_under(mapping, names[i], from.content(i)));
  relative_starts moved;
  for (const auto& run : expected)
    if (run.content < counterparts.size() && counterparts[run.content])
      moved.files.expected.insert(*counterparts[run.content]);
  for (const auto& start : starts) {
    observed_start now{{}, start.weight};
    for (const auto& access : start.accesses) {
      const auto before = from.content(access.content);
      const auto content = counterparts[access.content];
      if (!content) continue;
      const bool same = to.content(*content).id == before.id;
      moved.files.read.insert(*content);
      if (!same) moved.files.changed.insert(*content);
      content_access there{*content, access.access, {}, access.wait};
      for (const auto& run : access.runs)
        there.runs.push_back(same ? run : moved_to(run, access.content, to.content(*content)));
      now.accesses.push_back(std::move(there));
    }
    if (!now.accesses.empty()) moved.starts.push_back(std::move(now));
  }
  return moved;
}

std::vector<observed_start> weighted(std::map<trace_id, observed_start> starts,
                                     const std::map<trace_id, double>& weights) {
  std::vector<observed_start> all;
  for (const auto& [id, weight] : weights) {
    all.push_back(std::move(starts.at(id)));
    all.back().weight = weight;
  }
  return all;
}

/// The starts of an image that count, with their weights. Only their traces are read. `observed` says nothing
/// of one that does not count; another one counts in its place then.
template <class Observe>
result<std::vector<observed_start>> counted_starts(const learn_tools& tools, const toc_id& image,
                                                   Observe observed) {
  auto stamps = tools.traces.stamps(image);
  if (!stamps) return tl::unexpected(stamps.error());
  std::map<trace_id, observed_start> starts;
  for (;;) {
    const auto selected = select_traces(*stamps, tools.options.selection);
    std::set<trace_id> left_out;
    for (const auto& [id, weight] : selected) {
      if (starts.contains(id)) continue;
      if (tools.stopped()) return fail(errc::cancelled, "learning was stopped");
      const auto recorded = tools.traces.find_readable(id, tools.damaged);
      if (!recorded) return tl::unexpected(recorded.error());
      auto start = *recorded ? observed(**recorded) : std::optional<observed_start>();
      if (start)
        starts.emplace(id, std::move(*start));
      else
        left_out.insert(id);
    }
    if (left_out.empty()) return weighted(std::move(starts), selected);
    std::erase_if(*stamps, [&](const trace_stamp& one) { return left_out.contains(one.id); });
  }
}

result<relative_starts> starts_by_contents(const learn_tools& tools, const image_relative& relative,
                                           const toc_view& to) {
  const auto starts = starts_of(tools, relative.toc);
  if (!starts) return tl::unexpected(starts.error());
  const auto guessed = tools.catalogue.order(relative.toc, order_kind::guessed);
  if (!guessed && tools.damaged) tools.damaged(guessed.error());  // it does without
  const auto guess = guessed ? guessed->value_or(stored_order{}) : stored_order{};
  const auto expected = std::span(guess.runs).first(guess.guessed);
  return transferred(tools, *starts, expected, *relative.contents, to);
}

/// What was expected of such a relative is not known, nor which of its files are another version.
result<relative_starts> starts_by_names(const learn_tools& tools, const image_relative& relative,
                                        const toc_view& to) {
  const auto contents = contents_of(to);
  const auto files = files_of(to.tree());
  const file_mapping mapping(files, contents);
  auto starts = counted_starts(tools, relative.toc, [&](const trace& recorded) {
    return std::optional(observe_by_names(recorded, mapping, contents, to.geometry()));
  });
  if (!starts) return tl::unexpected(starts.error());
  relative_starts moved;
  for (auto& start : *starts) {
    if (start.accesses.empty()) continue;
    for (const auto& access : start.accesses) {
      moved.files.read.insert(access.content);
      moved.files.changed.insert(access.content);
    }
    moved.starts.push_back(std::move(start));
  }
  return moved;
}

}  // namespace

// A trace that came before its image and does not fit it takes nothing away from those that do.
result<std::vector<observed_start>> starts_of(const learn_tools& tools, const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  return counted_starts(tools, image, [&](const trace& recorded) {
    auto start = observe(**toc, recorded);
    if (!start && tools.unfit) tools.unfit(recorded, start.error());
    return start ? std::optional(std::move(*start)) : std::nullopt;
  });
}

result<relative_starts> relatives_starts(const learn_tools& tools, const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  const auto relatives = relatives_of(tools, image, **toc);
  if (!relatives) return tl::unexpected(relatives.error());
  for (const auto& one : *relatives) {
    if (!one.same_repository && one.shared_bytes == 0) continue;
    auto moved = one.contents ? starts_by_contents(tools, one, **toc) : starts_by_names(tools, one, **toc);
    if (!moved) return moved;
    if (tools.stopped()) return fail(errc::cancelled, "learning was stopped");
    moved->reference = one.reference;
    if (!moved->starts.empty()) return moved;
  }
  return relative_starts{};
}

stored_order order_from(const learn_tools& tools, const toc_view& toc, std::span<const observed_start> starts,
                        const stored_order& guessed) {
  auto order = learn_order(starts, contents_of(toc), toc.geometry(), tools.options.order);
  stored_order stored{std::move(order.runs),
                      static_cast<std::uint32_t>(order.guessed_runs),
                      static_cast<std::uint32_t>(starts.size()),
                      {},
                      std::move(order.positions),
                      std::move(order.read_percents)};
  const auto expected = guessed.runs.begin() + guessed.guessed;
  stored.runs.insert(stored.runs.begin() + stored.guessed, guessed.runs.begin(), expected);
  stored.read_percents.insert(stored.read_percents.begin() + stored.guessed, guessed.guessed, 0);
  stored.runs.insert(stored.runs.end(), expected, guessed.runs.end());
  return stored;
}

stored_order order_from_relative(const learn_tools& tools, const toc_view& toc,
                                 const relative_starts& relative, const stored_order& guessed) {
  const auto contents = contents_of(toc);
  const auto learned = learn_order(relative.starts, contents, toc.geometry(), tools.options.order);
  const auto expected = std::span(guessed.runs).first(guessed.guessed);
  auto order =
      order_of_relative(learned, expected, relative.files, contents, toc.geometry(), tools.options.relatives);
  stored_order stored{std::move(order.runs), static_cast<std::uint32_t>(order.guessed_runs),
                      static_cast<std::uint32_t>(relative.starts.size()), relative.reference,
                      std::move(order.positions)};
  const auto unexpected = std::span(learned.runs).subspan(learned.guessed_runs);
  stored.runs.insert(stored.runs.end(), unexpected.begin(), unexpected.end());
  stored.runs.insert(stored.runs.end(), guessed.runs.begin() + guessed.guessed, guessed.runs.end());
  return stored;
}

result<stored_order> learn_image(const learn_tools& tools, const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  auto guessed = tools.catalogue.order(image, order_kind::guessed);
  if (!guessed) return tl::unexpected(guessed.error());
  auto plain = guessed->value_or(stored_order{});
  auto starts = starts_of(tools, image);
  if (!starts) return tl::unexpected(starts.error());
  relative_starts relative;
  if (starts->empty()) {
    auto found = relatives_starts(tools, image);
    if (!found) return tl::unexpected(found.error());
    relative = std::move(*found);
  }
  if (starts->empty() && relative.starts.empty()) {
    if (auto forgotten = tools.catalogue.forget_learned(image); !forgotten)
      return tl::unexpected(forgotten.error());
    return plain;
  }
  const auto order = starts->empty() ? order_from_relative(tools, **toc, relative, plain)
                                     : order_from(tools, **toc, *starts, plain);
  if (auto put = tools.catalogue.put_order(image, order, order_kind::learned); !put)
    return tl::unexpected(put.error());
  return order;
}

}  // namespace firstlight
