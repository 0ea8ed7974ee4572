#include "storage/descriptor_cache.hpp"

#include <algorithm>

namespace firstlight {

descriptor_cache::descriptor_cache(std::uint32_t open_files_max)
    : per_shard_max_(std::max<std::size_t>(1, open_files_max / shards_.size())) {}

descriptor_cache::shard& descriptor_cache::shard_of(const content_id& id) {
  return shards_[std::to_integer<std::size_t>(id.root.bytes.back()) % shards_.size()];
}

descriptor_cache::handle descriptor_cache::find(const content_id& id) {
  auto& mine = shard_of(id);
  const std::scoped_lock guard(mine.lock);
  const auto place = mine.places.find(id);
  if (place == mine.places.end()) return nullptr;
  mine.recent.splice(mine.recent.begin(), mine.recent, place->second);
  return place->second->second;
}

descriptor_cache::handle descriptor_cache::insert(const content_id& id, file_descriptor opened) {
  auto kept = std::make_shared<const file_descriptor>(std::move(opened));
  handle evicted;  // closed after the lock is released
  auto& mine = shard_of(id);
  const std::scoped_lock guard(mine.lock);
  if (const auto place = mine.places.find(id); place != mine.places.end()) {
    evicted = std::exchange(place->second->second, kept);
    return kept;
  }
  mine.recent.emplace_front(id, kept);
  mine.places[id] = mine.recent.begin();
  if (mine.recent.size() > per_shard_max_) {
    evicted = std::move(mine.recent.back().second);
    mine.places.erase(mine.recent.back().first);
    mine.recent.pop_back();
  }
  return kept;
}

void descriptor_cache::erase(const content_id& id) {
  auto& mine = shard_of(id);
  const std::scoped_lock guard(mine.lock);
  const auto place = mine.places.find(id);
  if (place == mine.places.end()) return;
  mine.recent.erase(place->second);
  mine.places.erase(place);
}

}  // namespace firstlight
