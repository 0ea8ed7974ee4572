#include "storage/trace_store.hpp"

#include <algorithm>

#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

constexpr table traces_table{"trace"};      // toc id and trace id: the trace
constexpr table trace_ids_table{"traced"};  // trace id: toc id, or nothing of a removed one

bytes_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
std::string key_of(const toc_id& image, const trace_id& id) {
  return std::string(as_key(image.value)) + std::string(as_key(id.value));
}

template <class Id>
std::optional<Id> id_at(std::string_view key, std::size_t offset) {
  if (key.size() < offset + sizeof(digest)) return std::nullopt;
  const auto raw = digest_from_bytes(as_bytes(key.substr(offset, sizeof(digest))));
  return raw ? std::optional(Id{*raw}) : std::nullopt;
}

}  // namespace

result<std::optional<toc_id>> trace_store::image_of(const trace_id& id) const {
  const auto stored = metadata_.get(trace_ids_table, as_key(id.value));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  return id_at<toc_id>(**stored, 0);
}

result<trace_store::outcome> trace_store::add(const trace& recorded) {
  const auto known = metadata_.get(trace_ids_table, as_key(recorded.id.value));
  if (!known) return tl::unexpected(known.error());
  if (*known) return outcome::known;
  const auto bytes = encode_trace(recorded);
  write_batch batch;
  batch.put(traces_table, key_of(recorded.toc, recorded.id),
            {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  batch.put(trace_ids_table, as_key(recorded.id.value), as_key(recorded.toc.value));
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  if (auto dropped = drop_oldest(recorded.toc); !dropped) return tl::unexpected(dropped.error());
  return outcome::added;
}

result<std::optional<trace>> trace_store::find(const trace_id& id) const {
  const auto image = image_of(id);
  if (!image) return tl::unexpected(image.error());
  if (!*image) return std::nullopt;
  const auto stored = metadata_.get(traces_table, key_of(**image, id));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  return decode_trace(as_bytes(**stored)).map([](trace&& one) { return std::optional(std::move(one)); });
}

result<std::vector<trace>> trace_store::of_image(const toc_id& image) const {
  std::vector<trace> all;
  std::optional<error> problem;
  auto scanned =
      metadata_.scan(traces_table, as_key(image.value), [&](std::string_view, std::string_view value) {
        auto one = decode_trace(as_bytes(value));
        if (one)
          all.push_back(std::move(*one));
        else
          problem = one.error();
        return problem ? scan_step::stop : scan_step::next;
      });
  if (!scanned) return tl::unexpected(scanned.error());
  if (problem) return tl::unexpected(*problem);
  return all;
}

result<std::vector<trace_stamp>> trace_store::stamps(const toc_id& image) const {
  return of_image(image).map([](const std::vector<trace>& all) {
    std::vector<trace_stamp> stamps;
    for (const auto& one : all) stamps.push_back({one.id, one.node, one.started});
    return stamps;
  });
}

result<std::map<toc_id, std::uint32_t>> trace_store::images() const {
  std::map<toc_id, std::uint32_t> images;
  auto scanned = metadata_.scan(traces_table, "", [&](std::string_view key, std::string_view) {
    if (const auto image = id_at<toc_id>(key, 0)) ++images[*image];
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return images;
}

result<void> trace_store::for_each(const std::function<bool(trace&&)>& visit) const {
  std::optional<error> problem;
  auto scanned = metadata_.scan(traces_table, "", [&](std::string_view, std::string_view value) {
    auto one = decode_trace(as_bytes(value));
    if (!one) problem = one.error();
    return one && visit(std::move(*one)) ? scan_step::next : scan_step::stop;
  });
  if (!scanned) return scanned;
  if (problem) return tl::unexpected(*problem);
  return {};
}

result<bool> trace_store::knows(const trace_id& id) const {
  return metadata_.get(trace_ids_table, as_key(id.value)).map([](const auto& stored) {
    return stored.has_value();
  });
}

result<std::vector<trace_id>> trace_store::known() const {
  std::vector<trace_id> ids;
  auto scanned = metadata_.scan(trace_ids_table, "", [&](std::string_view key, std::string_view) {
    if (const auto id = id_at<trace_id>(key, 0)) ids.push_back(*id);
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return ids;
}

result<void> trace_store::remove(const trace_id& id) {
  const auto image = image_of(id);
  if (!image) return tl::unexpected(image.error());
  if (!*image) return {};
  write_batch batch;
  batch.erase(traces_table, key_of(**image, id));
  batch.put(trace_ids_table, as_key(id.value), "");
  return metadata_.write(batch, durability::synced);
}

result<std::uint32_t> trace_store::remove_all(const toc_id& image) {
  const auto all = stamps(image);
  if (!all) return tl::unexpected(all.error());
  for (const auto& one : *all)
    if (auto removed = remove(one.id); !removed) return tl::unexpected(removed.error());
  return static_cast<std::uint32_t>(all->size());
}

result<void> trace_store::forget(const trace_id& id) {
  const auto image = image_of(id);
  if (!image) return tl::unexpected(image.error());
  write_batch batch;
  if (*image) batch.erase(traces_table, key_of(**image, id));
  batch.erase(trace_ids_table, as_key(id.value));
  return metadata_.write(batch, durability::synced);
}

result<void> trace_store::drop_oldest(const toc_id& image) {
  auto all = stamps(image);
  if (!all) return tl::unexpected(all.error());
  if (all->size() <= kept_max_) return {};
  std::sort(all->begin(), all->end(),
            [](const trace_stamp& a, const trace_stamp& b) { return a.started > b.started; });
  for (auto old = all->begin() + kept_max_; old != all->end(); ++old)
    if (auto removed = remove(old->id); !removed) return removed;
  return {};
}

}  // namespace firstlight
