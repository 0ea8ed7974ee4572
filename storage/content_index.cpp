#include "storage/content_index.hpp"

namespace firstlight {

content_index::found content_index::find(const content_id& id) const {
  const auto& mine = shard_of(id);
  const std::shared_lock guard(mine.lock);
  if (const auto at = mine.complete.find(id); at != mine.complete.end()) return {at->second, nullptr};
  if (const auto at = mine.arriving.find(id); at != mine.arriving.end()) return {std::nullopt, at->second};
  return {};
}

content_index::found content_index::find_or_make(const content_info& content, std::uint32_t blocks) {
  if (auto there = find(content.id); there.complete_size || there.arriving) return there;
  auto& mine = shard_of(content.id);
  const std::unique_lock guard(mine.lock);
  if (const auto at = mine.complete.find(content.id); at != mine.complete.end()) return {at->second, nullptr};
  auto& place = mine.arriving[content.id];
  if (!place) place = std::make_shared<arriving_content>(content, block_set(blocks));
  return {std::nullopt, place};
}

void content_index::insert_complete(const content_info& content) {
  auto& mine = shard_of(content.id);
  const std::unique_lock guard(mine.lock);
  mine.complete.emplace(content.id, content.size);
}

void content_index::insert_arriving(const content_info& content, block_set blocks) {
  auto& mine = shard_of(content.id);
  const std::unique_lock guard(mine.lock);
  mine.arriving.emplace(content.id, std::make_shared<arriving_content>(content, std::move(blocks)));
}

void content_index::complete(arriving_content& content) {
  auto& mine = shard_of(content.info.id);
  const std::unique_lock guard(mine.lock);
  content.gone = true;
  mine.complete.emplace(content.info.id, content.info.size);
  mine.fresh.push_back(content.info.id);
  mine.arriving.erase(content.info.id);
}

void content_index::drop(arriving_content& content) {
  auto& mine = shard_of(content.info.id);
  const std::unique_lock guard(mine.lock);
  content.gone = true;
  mine.arriving.erase(content.info.id);
}

std::vector<content_info> content_index::take_fresh() {
  std::vector<content_info> taken;
  for (auto& each : shards_) {
    const std::unique_lock guard(each.lock);
    for (const auto& id : each.fresh)
      if (const auto at = each.complete.find(id); at != each.complete.end())
        taken.push_back({id, at->second});
    each.fresh.clear();
    each.fresh.shrink_to_fit();
  }
  return taken;
}

void content_index::put_back_fresh(const std::vector<content_info>& contents) {
  for (const auto& content : contents) {
    auto& mine = shard_of(content.id);
    const std::unique_lock guard(mine.lock);
    mine.fresh.push_back(content.id);
  }
}

std::vector<std::shared_ptr<arriving_content>> content_index::all_arriving() const {
  std::vector<std::shared_ptr<arriving_content>> all;
  for (const auto& each : shards_) {
    const std::shared_lock guard(each.lock);
    for (const auto& [id, content] : each.arriving) all.push_back(content);
  }
  return all;
}

std::vector<content_info> content_index::all_complete() const {
  std::vector<content_info> all;
  for (const auto& each : shards_) {
    const std::shared_lock guard(each.lock);
    for (const auto& [id, size] : each.complete) all.push_back({id, size});
  }
  return all;
}

}  // namespace firstlight
