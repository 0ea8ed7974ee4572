#include "storage/disk_content_store.hpp"

namespace firstlight {

result<void> disk_content_store::load() {
  if (auto checked = records_.check_geometry(); !checked) return checked;
  auto known = records_.load();
  if (!known) return tl::make_unexpected(known.error());
  if (auto kept = keep_known_files(*known); !kept) return kept;
  if (auto kept = take_back_partials(*known); !kept) return kept;
  // What is left has a record but no file.
  lost_at_opening_ += known->complete.size();
  for (const auto& [id, size] : known->complete)
    if (auto erased = records_.erase(id); !erased) return erased;
  for (const auto& [id, record] : known->partial)
    if (auto erased = records_.erase(id); !erased) return erased;
  return records_.sync();
}

result<void> disk_content_store::keep_known_files(content_records::loaded& known) {
  result<void> outcome;
  const auto visited = files_.visit_complete([&](const content_id& id, std::uint64_t size) {
    if (!outcome) return;
    if (const auto record = known.complete.find(id);
        record != known.complete.end() && record->second == size) {
      index_.insert_complete({id, size});
      bytes_stored_ += size;
      known.complete.erase(record);
    } else if (known.partial.contains(id)) {
      outcome = files_.demote(id);  // completed after the last checkpoint: the blocks of that one count
    } else {
      outcome = files_.remove_complete(id);
      if (outcome) outcome = records_.erase(id);
      lost_at_opening_ += known.complete.erase(id);
    }
  });
  return visited ? outcome : visited;
}

result<void> disk_content_store::take_back_partials(content_records::loaded& known) {
  result<void> outcome;
  const auto visited = files_.visit_partial([&](const content_id& id, std::uint64_t size) {
    if (!outcome) return;
    const auto found = known.partial.find(id);
    std::uint64_t needed = 0;
    if (found != known.partial.end())
      for (std::uint32_t block = 0; block < found->second.blocks.blocks(); ++block)
        if (found->second.blocks.contains(block))
          needed = geometry_.offset(block) + geometry_.length(found->second.size, block, 1);
    if (found == known.partial.end() || index_.find(id).complete_size || size < needed) {
      outcome = files_.remove_partial(id);
      return;
    }
    auto& record = found->second;
    for (std::uint32_t block = 0; block < record.blocks.blocks(); ++block)
      if (record.blocks.contains(block)) bytes_stored_ += geometry_.length(record.size, block, 1);
    index_.insert_arriving({id, record.size}, std::move(record.blocks));
    known.partial.erase(found);
  });
  return visited ? outcome : visited;
}

content_records::changes disk_content_store::capture() {
  {
    const std::scoped_lock guard(removal_lock_);
    removed_since_capture_.clear();
  }
  content_records::changes change;
  change.complete = index_.take_fresh();
  for (const auto& content : index_.all_arriving()) {
    const std::scoped_lock guard(content->lock);
    if (content->gone || !content->changed) continue;
    change.partial.push_back({content->info.id, {content->info.size, content->blocks}});
    content->changed = false;
  }
  return change;
}

void disk_content_store::put_back(const content_records::changes& change) {
  index_.put_back_fresh(change.complete);
  for (const auto& [id, record] : change.partial)
    if (const auto there = index_.find(id).arriving) {
      const std::scoped_lock guard(there->lock);
      there->changed = true;
    }
}

void disk_content_store::forget(const content_records::changes& change) {
  // A removal that fails leaves a file without a record: the next open deletes it.
  for (const auto& content : change.complete) static_cast<void>(remove(content.id));
  for (const auto& [id, record] : change.partial) static_cast<void>(remove(id));
}

result<void> disk_content_store::commit(content_records::changes change) {
  content_records::changes again;  // to be captured by the next checkpoint
  result<void> done;
  {
    const std::scoped_lock guard(removal_lock_);
    for (const auto& content : change.complete)
      if (removed_since_capture_.contains(content.id)) again.complete.push_back(content);
    for (const auto& entry : change.partial)
      if (removed_since_capture_.contains(entry.first)) again.partial.push_back(entry);
    std::erase_if(change.complete,
                  [&](const auto& each) { return removed_since_capture_.contains(each.id); });
    std::erase_if(change.partial,
                  [&](const auto& each) { return removed_since_capture_.contains(each.first); });
    done = records_.commit(change);
    if (done) removed_not_durable_.clear();
    removed_not_durable_count_ = removed_not_durable_.size();
  }
  put_back(again);
  if (!done) put_back(change);
  return done;
}

result<void> disk_content_store::checkpoint() {
  const std::scoped_lock guard(checkpoint_lock_);
  auto change = capture();
  if (auto synced = files_.sync(); !synced) {
    forget(change);
    return synced;
  }
  return commit(std::move(change));
}

result<void> disk_content_store::remove(const content_id& id) {
  result<void> outcome;
  const auto erase_all = [&](auto remove_file) {
    const std::scoped_lock guard(removal_lock_);
    removed_since_capture_.insert(id);
    removed_not_durable_.insert(id);
    removed_not_durable_count_ = removed_not_durable_.size();
    outcome = records_.erase(id);
    complete_descriptors_.erase(id);
    partial_descriptors_.erase(id);
    if (auto removed = remove_file(); outcome) outcome = std::move(removed);
  };
  for (;;) {
    const auto size =
        index_.remove_complete(id, [&] { erase_all([&] { return files_.remove_complete(id); }); });
    if (size) bytes_stored_ -= *size;
    const auto there = index_.find(id).arriving;
    if (size || !there) return outcome;
    const std::scoped_lock guard(there->lock);
    if (there->gone) continue;
    for (std::uint32_t block = 0; block < there->blocks.blocks(); ++block)
      if (there->blocks.contains(block)) bytes_stored_ -= geometry_.length(there->info.size, block, 1);
    erase_all([&] { return files_.remove_partial(id); });
    index_.drop(*there);
    return outcome;
  }
}

}  // namespace firstlight
