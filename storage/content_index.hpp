#pragma once
#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "model/blocks.hpp"

namespace firstlight {

/// A content of which some blocks are there. `lock` guards all but `info` and is taken before the
/// locks of the index. Once `gone`, the content is complete or removed: look it up again.
struct arriving_content {
  explicit arriving_content(const content_info& about, block_set there)
      : info(about), blocks(std::move(there)) {}
  const content_info info;
  std::mutex lock;
  block_set blocks;
  bool gone = false;
  bool changed = false;  ///< since the last capture
};

/// What a content store knows in memory: about 80 bytes for each complete content. All members may
/// be called from any thread; each takes the lock of one shard.
class content_index {
 public:
  struct found {
    std::optional<std::uint64_t> complete_size;
    std::shared_ptr<arriving_content> arriving;  ///< empty when complete or absent
  };
  [[nodiscard]] found find(const content_id& id) const;
  /// As `find`, but an absent content becomes an arriving one without blocks.
  [[nodiscard]] found find_or_make(const content_info& content, std::uint32_t blocks);

  void insert_complete(const content_info& content);
  void insert_arriving(const content_info& content, block_set blocks);
  /// Moves an arriving content, whose lock the caller holds, to the complete ones.
  void complete(arriving_content& content);
  /// Takes an arriving content, whose lock the caller holds, out.
  void drop(arriving_content& content);

  /// Runs `erase_files` while no one else can see or make the content `id`, then forgets it if it is
  /// complete. @returns its size, or nothing when it is not complete.
  template <class Function>
  std::optional<std::uint64_t> remove_complete(const content_id& id, Function erase_files) {
    auto& mine = shard_of(id);
    const std::unique_lock guard(mine.lock);
    const auto at = mine.complete.find(id);
    if (at == mine.complete.end()) return std::nullopt;
    const auto size = at->second;
    mine.complete.erase(at);
    erase_files();
    return size;
  }

  /// The contents that became complete since the last call and still are.
  [[nodiscard]] std::vector<content_info> take_fresh();
  /// Puts contents back into what `take_fresh` gives next.
  void put_back_fresh(const std::vector<content_info>& contents);

  [[nodiscard]] std::vector<std::shared_ptr<arriving_content>> all_arriving() const;
  [[nodiscard]] std::vector<content_info> all_complete() const;

 private:
  struct shard {
    mutable std::shared_mutex lock;
    std::unordered_map<content_id, std::uint64_t> complete;
    std::unordered_map<content_id, std::shared_ptr<arriving_content>> arriving;
    std::vector<content_id> fresh;
  };
  // The last byte: a hash map uses the first ones.
  shard& shard_of(const content_id& id) {
    return shards_[std::to_integer<std::size_t>(id.root.bytes.back()) % shards_.size()];
  }
  const shard& shard_of(const content_id& id) const {
    return shards_[std::to_integer<std::size_t>(id.root.bytes.back()) % shards_.size()];
  }

  std::array<shard, 64> shards_;
};

}  // namespace firstlight
