#pragma once
#include <array>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "model/digest.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// Keeps the most recently used descriptors open, at most `open_files_max` (at least one a shard).
/// All members from any thread; a descriptor in use stays open after it has left the cache.
class descriptor_cache {
 public:
  using handle = std::shared_ptr<const file_descriptor>;

  explicit descriptor_cache(std::uint32_t open_files_max);

  /// The cached descriptor of `id`, or nothing.
  [[nodiscard]] handle find(const content_id& id);
  /// Takes a descriptor over, in place of one that is already there.
  handle insert(const content_id& id, file_descriptor opened);
  void erase(const content_id& id);

 private:
  struct shard {
    std::mutex lock;
    std::list<std::pair<content_id, handle>> recent;  // front: last used
    std::unordered_map<content_id, std::list<std::pair<content_id, handle>>::iterator> places;
  };
  shard& shard_of(const content_id& id);

  std::array<shard, 16> shards_;
  std::size_t per_shard_max_;
};

}  // namespace firstlight
