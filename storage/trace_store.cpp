#include "storage/trace_store.hpp"

#include <algorithm>

#include "model/removed_traces.hpp"
#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

constexpr table traces_table{"trace"};        // toc id and trace id: the trace
constexpr table stamps_table{"trace-stamp"};  // the same: its stamp
constexpr table trace_ids_table{"traced"};    // trace id: toc id, or when it was removed
constexpr table removals_table{"untraced"};   // when a trace was removed and its id: nothing, or toc id if it
                                              // had no room
constexpr table unlearned_table{"unlearned"};     // toc id: nothing
constexpr table versions_table{"trace-store"};    // "stamped": what stamps say, once each trace has its own;
                                                  // "learned": by which of `learned_version`
constexpr std::string_view stamps_say = "group";  // what the latest version has added to them
constexpr std::size_t time_bytes = 8;
// Another one when what is learned says more than before: orders of earlier hubs did not know when runs are
// read, which is what a joint bundle is ordered by.
constexpr std::string_view learned_version = "1";

bytes_view as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
std::string_view as_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string key_of(const toc_id& image, const trace_id& id) {
  return std::string(as_key(image.value)) + std::string(as_key(id.value));
}

/// Sorts by time.
std::string time_key(std::chrono::nanoseconds time) {
  std::string key;
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(
        static_cast<char>(static_cast<std::uint64_t>(time.count()) >> static_cast<unsigned>(shift)));
  return key;
}

template <class Id>
std::optional<Id> id_at(std::string_view key, std::size_t offset) {
  if (key.size() < offset + sizeof(digest)) return std::nullopt;
  const auto raw = digest_from_bytes(as_bytes(key.substr(offset, sizeof(digest))));
  return raw ? std::optional(Id{*raw}) : std::nullopt;
}

void put_stamp(write_batch& batch, const toc_id& image, const trace_stamp& stamp) {
  batch.put(stamps_table, key_of(image, stamp.id), as_text(encode_stamp(stamp)));
}

}  // namespace

std::chrono::nanoseconds trace_store::system_now() {
  return std::chrono::system_clock::now().time_since_epoch();
}

result<std::unique_ptr<trace_store>> trace_store::open(database& metadata, const trace_store_limits& limits,
                                                       clock now) {
  std::unique_ptr<trace_store> opened(new trace_store(metadata, limits, std::move(now)));
  auto ready = opened->stamp_all()
                   .and_then([&] { return opened->date_removals(); })
                   .and_then([&] { return opened->learn_all_anew(); })
                   .and_then([&] { return opened->forget_old_removals(); });
  if (!ready) return tl::unexpected(ready.error());
  return opened;
}

/// Stores of earlier versions have no stamps, or such that say less.
result<void> trace_store::stamp_all() {
  const auto done = metadata_.get(versions_table, "stamped");
  if (!done) return tl::unexpected(done.error());
  if (*done && **done == stamps_say) return {};
  write_batch batch;
  auto scanned = metadata_.scan(traces_table, "", [&](std::string_view key, std::string_view value) {
    const auto image = id_at<toc_id>(key, 0);
    if (const auto one = decode_trace(as_bytes(value)); one && image)
      put_stamp(batch, *image, stamp_of(*one, value.size()));
    return scan_step::next;
  });
  if (!scanned) return scanned;
  batch.put(versions_table, "stamped", stamps_say);
  return metadata_.write(batch, durability::synced);
}

/// What an earlier version has removed counts as removed now.
result<void> trace_store::date_removals() {
  const auto now = time_key(now_());
  write_batch batch;
  auto scanned = metadata_.scan(trace_ids_table, "", [&](std::string_view key, std::string_view value) {
    if (!value.empty()) return scan_step::next;
    batch.put(trace_ids_table, key, now);
    batch.put(removals_table, now + std::string(key), "");
    return scan_step::next;
  });
  if (!scanned || batch.empty()) return scanned;
  return metadata_.write(batch, durability::synced);
}

result<void> trace_store::learn_all_anew() {
  const auto by = metadata_.get(versions_table, "learned");
  if (!by) return tl::unexpected(by.error());
  if (*by == learned_version) return {};
  const auto traced = images();
  if (!traced) return tl::unexpected(traced.error());
  write_batch batch;
  for (const auto& [image, traces] : *traced) batch.put(unlearned_table, as_key(image.value), "");
  batch.put(versions_table, "learned", learned_version);
  return metadata_.write(batch, durability::synced);
}

result<std::optional<toc_id>> trace_store::image_of(const trace_id& id) const {
  const auto stored = metadata_.get(trace_ids_table, as_key(id.value));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return std::nullopt;
  return id_at<toc_id>(**stored, 0);
}

void trace_store::remove_in(write_batch& batch, const toc_id& image, const trace_id& id, removal why) const {
  const auto now = time_key(now_());
  for (const auto& where : {traces_table, stamps_table}) batch.erase(where, key_of(image, id));
  batch.put(trace_ids_table, as_key(id.value), now);
  batch.put(removals_table, now + std::string(as_key(id.value)),
            why == removal::for_lack_of_room ? as_key(image.value) : std::string_view());
  batch.put(unlearned_table, as_key(image.value), "");
}

result<trace_store::outcome> trace_store::add(const trace& recorded) {
  const std::lock_guard lock(mutex_);
  const auto known = knows(recorded.id);
  if (!known) return tl::unexpected(known.error());
  if (*known) return outcome::known;
  const auto bytes = encode_trace(recorded);
  auto all = stamps(recorded.toc);
  if (!all) return tl::unexpected(all.error());
  all->push_back(stamp_of(recorded, bytes.size()));
  write_batch batch;
  batch.put(traces_table, key_of(recorded.toc, recorded.id), as_text(bytes));
  put_stamp(batch, recorded.toc, all->back());
  batch.put(trace_ids_table, as_key(recorded.id.value), as_key(recorded.toc.value));
  batch.put(unlearned_table, as_key(recorded.toc.value), "");
  const auto gone = evicted_traces(*all, {limits_.kept_max, limits_.kept_bytes_max});
  for (const auto& id : gone) remove_in(batch, recorded.toc, id);
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  return std::find(gone.begin(), gone.end(), recorded.id) == gone.end() ? outcome::added : outcome::dropped;
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

result<std::optional<trace>> trace_store::find_readable(const trace_id& id, const on_damage& damaged) const {
  auto found = find(id);
  if (found || found.error().code != errc::corrupt) return found;
  if (damaged) damaged(found.error());
  return std::nullopt;
}

result<std::vector<trace>> trace_store::of_image(const toc_id& image, const on_damage& damaged) const {
  std::vector<trace> all;
  auto scanned =
      metadata_.scan(traces_table, as_key(image.value), [&](std::string_view, std::string_view value) {
        if (auto one = decode_trace(as_bytes(value)))
          all.push_back(std::move(*one));
        else if (damaged)
          damaged(one.error());
        return scan_step::next;
      });
  if (!scanned) return tl::unexpected(scanned.error());
  return all;
}

result<std::vector<trace_stamp>> trace_store::stamps(const toc_id& image) const {
  std::vector<trace_stamp> all;
  auto scanned =
      metadata_.scan(stamps_table, as_key(image.value), [&](std::string_view key, std::string_view value) {
        const auto id = id_at<trace_id>(key, sizeof(digest));
        if (const auto stamp = decode_stamp(id.value_or(trace_id{}), as_bytes(value)); stamp && id)
          all.push_back(*stamp);
        return scan_step::next;
      });
  if (!scanned) return tl::unexpected(scanned.error());
  return all;
}

result<std::map<toc_id, std::vector<trace_stamp>>> trace_store::stamps() const {
  std::map<toc_id, std::vector<trace_stamp>> all;
  auto scanned = metadata_.scan(stamps_table, "", [&](std::string_view key, std::string_view value) {
    const auto image = id_at<toc_id>(key, 0);
    const auto id = id_at<trace_id>(key, sizeof(digest));
    if (const auto stamp = decode_stamp(id.value_or(trace_id{}), as_bytes(value)); stamp && id && image)
      all[*image].push_back(*stamp);
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return all;
}

result<std::map<toc_id, std::uint32_t>> trace_store::images() const {
  std::map<toc_id, std::uint32_t> images;
  auto scanned = metadata_.scan(stamps_table, "", [&](std::string_view key, std::string_view) {
    if (const auto image = id_at<toc_id>(key, 0)) ++images[*image];
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return images;
}

result<void> trace_store::for_each(const std::function<bool(trace&&)>& visit,
                                   const on_damage& damaged) const {
  return metadata_.scan(traces_table, "", [&](std::string_view, std::string_view value) {
    auto one = decode_trace(as_bytes(value));
    if (!one && damaged) damaged(one.error());
    return !one || visit(std::move(*one)) ? scan_step::next : scan_step::stop;
  });
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
  const std::lock_guard lock(mutex_);
  const auto image = image_of(id);
  if (!image) return tl::unexpected(image.error());
  if (!*image) return {};
  write_batch batch;
  remove_in(batch, **image, id);
  return metadata_.write(batch, durability::synced);
}

result<std::uint32_t> trace_store::remove_all(const toc_id& image) {
  const std::lock_guard lock(mutex_);
  write_batch batch;
  std::uint32_t removed = 0;
  // Traces without a readable stamp too.
  auto scanned =
      metadata_.scan(traces_table, as_key(image.value), [&](std::string_view key, std::string_view) {
        if (const auto id = id_at<trace_id>(key, sizeof(digest))) {
          remove_in(batch, image, *id);
          ++removed;
        }
        return scan_step::next;
      });
  if (!scanned) return tl::unexpected(scanned.error());
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  return removed;
}

result<removed_orphans> trace_store::trim_orphans(const std::set<toc_id>& known, const trace_room& room) {
  return remove_orphans(known, room, removal::for_lack_of_room);
}

result<removed_orphans> trace_store::remove_orphans(const std::set<toc_id>& known) {
  return remove_orphans(known, {.count_max = 0}, removal::for_good);
}

result<removed_orphans> trace_store::remove_orphans(const std::set<toc_id>& known, const trace_room& room,
                                                    removal why) {
  const std::lock_guard lock(mutex_);
  const auto all = stamps();
  if (!all) return tl::unexpected(all.error());
  std::vector<trace_stamp> orphans;
  std::map<trace_id, toc_id> images;
  for (const auto& [image, traces] : *all) {
    if (known.contains(image)) continue;
    orphans.insert(orphans.end(), traces.begin(), traces.end());
    for (const auto& one : traces) images.emplace(one.id, image);
  }
  const auto gone = evicted_traces(orphans, room);
  removed_orphans removed;
  if (gone.empty()) return removed;
  write_batch batch;
  for (const auto& id : gone) {
    remove_in(batch, images.at(id), id, why);
    removed.images.insert(images.at(id));
  }
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  removed.traces = static_cast<std::uint32_t>(gone.size());
  return removed;
}

result<void> trace_store::forget(const trace_id& id) {
  const std::lock_guard lock(mutex_);
  const auto stored = metadata_.get(trace_ids_table, as_key(id.value));
  if (!stored) return tl::unexpected(stored.error());
  if (!*stored) return {};
  write_batch batch;
  if (const auto image = id_at<toc_id>(**stored, 0)) {
    for (const auto& where : {traces_table, stamps_table}) batch.erase(where, key_of(*image, id));
    batch.erase(unlearned_table, as_key(image->value));
  } else
    batch.erase(removals_table, **stored + std::string(as_key(id.value)));
  batch.erase(trace_ids_table, as_key(id.value));
  return metadata_.write(batch, durability::synced);
}

result<void> trace_store::for_each_removal(const on_removal& visit) const {
  return metadata_.scan(removals_table, "", [&](std::string_view key, std::string_view value) {
    if (key.size() == time_bytes + sizeof(digest)) visit(key, id_at<toc_id>(value, 0));
    return scan_step::next;
  });
}

result<std::set<toc_id>> trace_store::had_no_room() const {
  std::set<toc_id> images;
  auto scanned = for_each_removal([&](std::string_view, const std::optional<toc_id>& image) {
    if (image) images.insert(*image);
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return images;
}

result<std::uint32_t> trace_store::let_return(const std::set<toc_id>& images) {
  const std::lock_guard lock(mutex_);
  write_batch batch;
  std::uint32_t returning = 0;
  auto scanned = for_each_removal([&](std::string_view key, const std::optional<toc_id>& image) {
    if (!image || !images.contains(*image)) return;
    batch.erase(removals_table, key);
    batch.erase(trace_ids_table, key.substr(time_bytes));
    ++returning;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  if (returning == 0) return 0;
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  returns_ += returning;
  return returning;
}

result<std::uint32_t> trace_store::forget_old_removals() {
  const std::lock_guard lock(mutex_);
  std::vector<trace_removal> removals;
  auto scanned = for_each_removal([&](std::string_view key, const std::optional<toc_id>& image) {
    removals.push_back({std::string(key), image.has_value()});
  });
  if (!scanned) return tl::unexpected(scanned.error());
  const auto long_ago = time_key(now_() - limits_.removed_time);
  const auto forgotten = forgotten_removals(std::move(removals), long_ago, limits_.removed_max);
  if (forgotten.empty()) return 0;
  write_batch batch;
  for (const auto& key : forgotten) {
    batch.erase(removals_table, key);
    batch.erase(trace_ids_table, std::string_view(key).substr(time_bytes));
  }
  if (auto written = metadata_.write(batch, durability::synced); !written)
    return tl::unexpected(written.error());
  return static_cast<std::uint32_t>(forgotten.size());
}

result<std::set<toc_id>> trace_store::unlearned() const {
  std::set<toc_id> images;
  auto scanned = metadata_.scan(unlearned_table, "", [&](std::string_view key, std::string_view) {
    if (const auto image = id_at<toc_id>(key, 0)) images.insert(*image);
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return images;
}

result<void> trace_store::learned(const toc_id& image) {
  return metadata_.erase(unlearned_table, as_key(image.value));
}

result<void> trace_store::to_learn(const std::set<toc_id>& images) {
  if (images.empty()) return {};
  write_batch batch;
  for (const auto& image : images) batch.put(unlearned_table, as_key(image.value), "");
  return metadata_.write(batch, durability::synced);
}

}  // namespace firstlight
