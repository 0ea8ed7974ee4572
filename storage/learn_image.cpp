#include "storage/learn_image.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "model/image_reference.hpp"
#include "model/name_shape.hpp"
#include "model/trace_transfer.hpp"
#include "schemas/image_config_json.hpp"
#include "schemas/toc_contents.hpp"
#include "schemas/toc_paths.hpp"
#include "storage/map_versions.hpp"

namespace firstlight {
namespace {

/// A reference without tag and digest.
std::string repository_of(const std::string& reference) {
  const auto parsed = parse_image_reference(reference);
  return parsed ? parsed->repository_text() : reference;
}

/// An image that has traces. Its record may be gone, or its tag mean another image.
struct relative {
  toc_id toc;
  std::string reference;
  bool same_repository = false;
  std::chrono::nanoseconds newest{0};  ///< of its traces
  std::uint64_t shared_bytes = 0;
};

bool stopped(const learn_tools& tools) {
  return tools.stop != nullptr && tools.stop->load();
}

/// What the catalogue says of one image.
struct named_as {
  std::string reference;  ///< of any of its records; empty without one
  std::set<std::string> repositories;
  std::set<std::string> platforms;
};

std::map<toc_id, named_as> names_by_image(const std::vector<image_record>& records) {
  std::map<toc_id, named_as> names;
  for (const auto& record : records) {
    auto& name = names[record.toc];
    name.reference = record.reference;
    name.repositories.insert(repository_of(record.reference));
    name.platforms.insert(record.platform);
  }
  return names;
}

template <class Value>
bool have_common(const std::set<Value>& a, const std::set<Value>& b) {
  return std::any_of(a.begin(), a.end(), [&](const Value& one) { return b.contains(one); });
}

/// Whether an image without a record is for the machines of another one.
bool same_target(const toc_view& a, const toc_view& b) {
  const auto first = parse_image_config(a.config_json());
  const auto second = parse_image_config(b.config_json());
  return first && second && first->target == second->target;
}

std::uint64_t bytes_shared(const toc_view& wanted, const toc_view& other) {
  std::unordered_set<content_id> had;
  for (std::uint32_t i = 0; i < other.content_count(); ++i) had.insert(other.content(i).id);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < wanted.content_count(); ++i)
    if (const auto content = wanted.content(i); had.contains(content.id)) bytes += content.size;
  return bytes;
}

relative relative_from(const toc_id& toc, const std::vector<trace_stamp>& traces, const named_as& name,
                       const std::set<std::string>& repositories) {
  const auto newest =
      std::max_element(traces.begin(), traces.end(),
                       [](const trace_stamp& a, const trace_stamp& b) { return a.received < b.received; });
  auto own = name.repositories;
  own.insert(repository_of(newest->reference));
  return {toc, name.reference.empty() ? newest->reference : name.reference, have_common(own, repositories),
          newest->received, 0};
}

/// All images with traces that may be relatives, each once: those of the same repository first, then by age.
result<std::vector<relative>> candidates_of(const learn_tools& tools, const toc_id& image) {
  const auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  const auto traced = tools.traces.stamps();
  if (!traced) return tl::unexpected(traced.error());
  auto names = names_by_image(*records);
  const auto wanted = names[image];
  std::vector<relative> all;
  for (const auto& [toc, traces] : *traced) {
    const auto& name = names[toc];
    const bool fits = name.platforms.empty() || have_common(name.platforms, wanted.platforms);
    if (toc != image && fits) all.push_back(relative_from(toc, traces, name, wanted.repositories));
  }
  std::sort(all.begin(), all.end(), [](const relative& a, const relative& b) {
    return std::tie(b.same_repository, b.newest, b.toc) < std::tie(a.same_repository, a.newest, a.toc);
  });
  return all;
}

/// The nearest first.
result<std::vector<relative>> relatives_of(const learn_tools& tools, const toc_id& image,
                                           const toc_view& toc) {
  const auto candidates = candidates_of(tools, image);
  if (!candidates) return tl::unexpected(candidates.error());
  std::vector<relative> all;
  for (const auto& one : *candidates) {
    if (all.size() >= tools.options.relatives_max) break;
    const auto other = tools.catalogue.toc(one.toc);
    if (!other || !same_target(toc, **other)) continue;
    all.push_back(one);
    all.back().shared_bytes = bytes_shared(toc, **other);
  }
  std::sort(all.begin(), all.end(), [](const relative& a, const relative& b) {
    return std::tie(b.same_repository, b.shared_bytes, b.newest) <
           std::tie(a.same_repository, a.shared_bytes, a.newest);
  });
  return all;
}

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
          tools.contents != nullptr && maps.size() < tools.options.relative_maps_max && !stopped(tools);
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

}  // namespace

result<std::vector<observed_start>> starts_of(const learn_tools& tools, const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  const auto traces = tools.traces.of_image(image, tools.damaged);
  if (!traces) return tl::unexpected(traces.error());
  std::vector<trace_stamp> stamps;
  for (const auto& one : *traces) stamps.push_back(stamp_of(one, 0));
  const auto selected = select_traces(stamps, tools.options.selection);
  std::vector<observed_start> starts;
  for (const auto& one : *traces) {
    const auto weight = selected.find(one.id);
    if (weight == selected.end()) continue;
    if (stopped(tools)) return fail(errc::cancelled, "learning was stopped");
    auto start = observe(**toc, one);
    if (!start) continue;  // it came before its image and does not fit it
    start->weight = weight->second;
    starts.push_back(std::move(*start));
  }
  return starts;
}

result<relative_starts> relatives_starts(const learn_tools& tools, const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  if (!toc) return tl::unexpected(toc.error());
  const auto relatives = relatives_of(tools, image, **toc);
  if (!relatives) return tl::unexpected(relatives.error());
  for (const auto& one : *relatives) {
    if (!one.same_repository && one.shared_bytes == 0) continue;
    const auto other = tools.catalogue.toc(one.toc);
    if (!other) continue;
    const auto starts = starts_of(tools, one.toc);
    if (!starts) return tl::unexpected(starts.error());
    const auto guessed = tools.catalogue.order(one.toc, order_kind::guessed);
    if (!guessed && tools.damaged) tools.damaged(guessed.error());  // it does without
    const auto guess = guessed ? guessed->value_or(stored_order{}) : stored_order{};
    const auto expected = std::span(guess.runs).first(guess.guessed);
    auto moved = transferred(tools, *starts, expected, **other, **toc);
    if (stopped(tools)) return fail(errc::cancelled, "learning was stopped");
    moved.reference = one.reference;
    if (!moved.starts.empty()) return moved;
  }
  return relative_starts{};
}

result<std::vector<toc_id>> followers_of(const learn_tools& tools, const toc_id& image) {
  const auto own = tools.traces.stamps(image);
  if (!own) return tl::unexpected(own.error());
  const auto traced = tools.traces.images();
  if (!traced) return tl::unexpected(traced.error());
  auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  std::set<std::string> repositories;
  for (const auto& one : *own) repositories.insert(repository_of(one.reference));
  std::sort(records->begin(), records->end(),
            [](const image_record& a, const image_record& b) { return a.added_at > b.added_at; });
  std::vector<toc_id> followers;
  for (const auto& record : *records) {
    if (followers.size() >= tools.options.relatives_max) break;
    if (!traced->contains(record.toc) && repositories.contains(repository_of(record.reference)))
      followers.push_back(record.toc);
  }
  return followers;
}

stored_order order_from(const learn_tools& tools, const toc_view& toc, std::span<const observed_start> starts,
                        const stored_order& guessed) {
  auto order = learn_order(starts, contents_of(toc), toc.geometry(), tools.options.order);
  stored_order stored{std::move(order.runs),
                      static_cast<std::uint32_t>(order.guessed_runs),
                      static_cast<std::uint32_t>(starts.size()),
                      {},
                      std::move(order.positions)};
  const auto expected = guessed.runs.begin() + guessed.guessed;
  stored.runs.insert(stored.runs.begin() + stored.guessed, guessed.runs.begin(), expected);
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
