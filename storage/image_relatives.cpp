#include "storage/image_relatives.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "model/image_reference.hpp"
#include "schemas/image_config_json.hpp"

namespace firstlight {
namespace {

/// A reference without tag and digest.
std::string repository_of(const std::string& reference) {
  const auto parsed = parse_image_reference(reference);
  return parsed ? parsed->repository_text() : reference;
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

using content_ids = std::unordered_set<content_id>;

content_ids ids_of(const toc_view& toc) {
  content_ids ids;
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) ids.insert(toc.content(i).id);
  return ids;
}

std::uint64_t bytes_shared(const content_ids& wanted, const toc_view& other) {
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < other.content_count(); ++i)
    if (const auto content = other.content(i); wanted.contains(content.id)) bytes += content.size;
  return bytes;
}

image_relative relative_from(const toc_id& toc, const std::vector<trace_stamp>& traces, const named_as& name,
                             const std::set<std::string>& repositories) {
  const auto newest =
      std::max_element(traces.begin(), traces.end(),
                       [](const trace_stamp& a, const trace_stamp& b) { return a.received < b.received; });
  auto own = name.repositories;
  own.insert(repository_of(newest->reference));
  return {.toc = toc,
          .reference = name.reference.empty() ? newest->reference : name.reference,
          .same_repository = have_common(own, repositories),
          .newest = newest->received};
}

/// All images with traces that may be relatives, each once: those of the same repository first, then by age.
result<std::vector<image_relative>> candidates_of(const learn_tools& tools, const toc_id& image) {
  const auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  const auto traced = tools.traces.stamps();
  if (!traced) return tl::unexpected(traced.error());
  auto names = names_by_image(*records);
  const auto wanted = names[image];
  std::vector<image_relative> all;
  for (const auto& [toc, traces] : *traced) {
    const auto& name = names[toc];
    const bool fits = name.platforms.empty() || have_common(name.platforms, wanted.platforms);
    if (toc != image && fits) all.push_back(relative_from(toc, traces, name, wanted.repositories));
  }
  std::sort(all.begin(), all.end(), [](const image_relative& a, const image_relative& b) {
    return std::tie(b.same_repository, b.newest, b.toc) < std::tie(a.same_repository, a.newest, a.toc);
  });
  return all;
}

/// Whether an image without traces shares contents with one that has some, and is for the same machines.
bool may_follow(const learn_tools& tools, const toc_view& leader, const content_ids& contents,
                const toc_id& image) {
  const auto toc = tools.catalogue.toc(image);
  return toc && bytes_shared(contents, **toc) > 0 && same_target(leader, **toc);
}

/// By what an order may name a relative that has traces; `emptied` have none.
std::set<std::string> names_with_traces(const std::vector<image_record>& records,
                                        const std::map<toc_id, std::vector<trace_stamp>>& traced,
                                        const std::set<toc_id>& emptied) {
  std::set<std::string> names;
  for (const auto& record : records)
    if (traced.contains(record.toc)) names.insert(record.reference);
  for (const auto& [toc, traces] : traced)
    for (const auto& one : traces) names.insert(one.reference);
  // A name may mean others too that have traces: learning anew tells.
  for (const auto& record : records)
    if (emptied.contains(record.toc)) names.erase(record.reference);
  return names;
}

}  // namespace

result<std::vector<image_relative>> relatives_of(const learn_tools& tools, const toc_id& image,
                                                 const toc_view& toc) {
  const auto candidates = candidates_of(tools, image);
  if (!candidates) return tl::unexpected(candidates.error());
  const auto contents = ids_of(toc);
  const auto looked_at_max = tools.options.relatives_max;
  std::vector<image_relative> known;
  std::vector<image_relative> named;
  for (const auto& one : *candidates) {
    if (known.size() >= looked_at_max) break;
    const auto other = tools.catalogue.toc(one.toc);
    if (!other && toc_is_lost(other.error().code) && one.same_repository && named.size() < looked_at_max)
      named.push_back(one);
    if (!other || !same_target(toc, **other)) continue;
    known.push_back(one);
    known.back().contents = *other;
    known.back().shared_bytes = bytes_shared(contents, **other);
  }
  known.insert(known.end(), named.begin(), named.end());
  std::stable_sort(known.begin(), known.end(), [](const image_relative& a, const image_relative& b) {
    const auto rank = [](const image_relative& one) {
      return std::tuple(one.same_repository, one.contents != nullptr, one.shared_bytes, one.newest);
    };
    return rank(a) > rank(b);
  });
  return known;
}

result<std::vector<toc_id>> followers_of(const learn_tools& tools, const toc_id& image) {
  const auto own = tools.traces.stamps(image);
  if (!own) return tl::unexpected(own.error());
  const auto traced = tools.traces.images();
  if (!traced) return tl::unexpected(traced.error());
  auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  std::vector<toc_id> followers;
  if (own->empty()) return followers;
  std::set<std::string> repositories;
  for (const auto& one : *own) repositories.insert(repository_of(one.reference));
  const auto toc = tools.catalogue.toc(image);
  const auto contents = toc ? ids_of(**toc) : content_ids();
  std::sort(records->begin(), records->end(),
            [](const image_record& a, const image_record& b) { return a.added_at > b.added_at; });
  std::uint32_t of_repository = 0;
  std::uint32_t compared = 0;
  for (const auto& record : *records) {
    if (tools.stopped()) return fail(errc::cancelled, "learning was stopped");
    if (traced->contains(record.toc)) continue;
    const bool same_repository = repositories.contains(repository_of(record.reference));
    auto& count = same_repository ? of_repository : compared;
    if (count >= (same_repository ? tools.options.relatives_max : tools.options.followers_max)) continue;
    ++count;
    if (same_repository || (toc && may_follow(tools, **toc, contents, record.toc)))
      followers.push_back(record.toc);
  }
  return followers;
}

result<std::vector<toc_id>> bereft_by(const learn_tools& tools, const std::set<toc_id>& emptied) {
  const auto records = tools.catalogue.list();
  if (!records) return tl::unexpected(records.error());
  const auto traced = tools.traces.stamps();
  if (!traced) return tl::unexpected(traced.error());
  const auto names = names_with_traces(*records, *traced, emptied);
  std::vector<toc_id> bereft;
  for (const auto& record : *records) {
    if (traced->contains(record.toc)) continue;
    const auto order = tools.catalogue.order(record.toc, order_kind::learned);
    if (order && *order && !(*order)->relative.empty() && !names.contains((*order)->relative))
      bereft.push_back(record.toc);
  }
  return bereft;
}

}  // namespace firstlight
