#pragma once
#include <functional>
#include <list>
#include <mutex>
#include <span>
#include <unordered_set>

#include "config/segment_limits.hpp"
#include "model/merkle.hpp"
#include "model/plan.hpp"
#include "storage/content_store.hpp"
#include "storage/segment_cache.hpp"

namespace firstlight {

/// Which blocks of a content (index in the TOC) the receiver has verified in this delivery: it knows the
/// tree nodes beside them. Nothing for a content of which it has none. Count only blocks whose
/// segment it has confirmed: what is on its way may arrive in another order.
using verified_blocks = std::function<const block_set*(std::uint32_t content)>;

/// SEGMENT BUILDER (hub): turns planned segments into bytes and proofs. All members from any thread;
/// they read the content store and compress, so call them from workers.
class segment_builder {
 public:
  /// `cache` may be null: then every segment is compressed anew.
  segment_builder(content_store& contents, segment_cache* cache, block_geometry geometry,
                  const segment_limits& limits = {});

  /// Builds one segment over the content table of its TOC. The frame comes from the cache when an equal
  /// one was built before, for whichever node, image or position; proofs are made for this receiver.
  /// Errors: `not_ready`, `corrupt`, `io` of the store; `limit_exceeded`; `invalid_argument` for runs
  /// outside their content.
  result<segment> build(std::uint32_t sequence, const planned_segment& planned,
                        std::span<const content_info> contents, const verified_blocks& verified = {});

  /// Packs a segment at `dense_level` and keeps that in the cache if it is smaller than what is there:
  /// whoever gets the segment from now on gets fewer bytes. A MiB takes some tenths of a second; nothing if
  /// that was done before, or there is no cache. @returns whether it did. Errors: those of `build`; of the
  /// cache.
  result<bool> pack_densely(const planned_segment& planned, std::span<const content_info> contents);

  /// A receiver found this segment wrong: it is not taken from the cache again. Does no more than hash the
  /// runs.
  void distrust(const planned_segment& planned, std::span<const content_info> contents);

 private:
  struct cached_tree {
    content_id id;
    std::shared_ptr<const merkle_tree> tree;
  };
  bool is_known_not_to_pay(const digest& key);
  void note_not_paying(const digest& key);
  result<void> check(const planned_segment& planned, std::span<const content_info> contents) const;
  enum class density : std::uint8_t { plain, dense };
  [[nodiscard]] digest cache_key(const planned_segment& planned, std::span<const content_info> contents,
                                 density how) const;
  result<shared_bytes> frame_of(const planned_segment& planned, std::span<const content_info> contents);
  [[nodiscard]] int level(const planned_segment& planned, density how) const;
  result<std::vector<std::byte>> pack(const planned_segment& planned, std::span<const content_info> contents,
                                      density how) const;
  result<std::vector<content_proof>> prove(const planned_segment& planned,
                                           std::span<const content_info> contents,
                                           const verified_blocks& verified);
  result<std::shared_ptr<const merkle_tree>> tree_of(const content_info& content);

  content_store& contents_;
  segment_cache* cache_;
  block_geometry geometry_;
  segment_limits limits_;
  std::mutex not_paying_lock_;
  std::unordered_set<digest> not_paying_;  ///< keys of segments that the dense level does not make smaller
  std::mutex trees_lock_;
  std::list<cached_tree> trees_;  // front: used last
  std::uint64_t trees_bytes_ = 0;
};

}  // namespace firstlight
