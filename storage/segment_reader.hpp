#pragma once
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "config/segment_limits.hpp"
#include "model/merkle.hpp"
#include "model/transfer.hpp"
#include "schemas/toc.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// What became of the runs of one segment.
struct segment_outcome {
  std::vector<block_run> stored;  ///< verified and in the content store
  struct failed_run {
    block_run run;
    /// `corrupt`: wrong bytes or a wrong proof, ask again; `not_ready`: the proof needs nodes that this
    /// receiver does not know (yet), ask again for a whole proof; `no_space`, `io`: the store's.
    error why;
  };
  std::vector<failed_run> failed;
};

/// SEGMENT READER (node): takes the segments of one delivery in: unpacks, verifies each block against the
/// TOC, stores. Keeps one Merkle verifier for each content that is partly there. All members from any
/// thread; several segments may be read at once.
class segment_reader {
 public:
  segment_reader(content_store& contents, std::shared_ptr<const toc_view> toc,
                 const segment_limits& limits = {});

  /// Runs that are there already are stored again without harm.
  /// Errors, for the segment as a whole (nothing was stored): `corrupt` for runs outside their content,
  /// repeated blocks, a wrong total or a frame that does not unpack; `limit_exceeded`; `not_ready` when the
  /// patch base is not complete here; `io`.
  result<segment_outcome> read(const segment& arrived);

 private:
  struct piece {
    block_run run;
    bytes_view bytes;
  };
  result<void> check(const segment& arrived) const;
  result<std::vector<std::byte>> unpack(const segment& arrived) const;
  [[nodiscard]] std::vector<piece> split(const segment& arrived, bytes_view bytes) const;
  result<void> verify(const content_info& content, std::span<const piece> pieces,
                      std::span<const merkle_node> proof, std::uint32_t index);
  void store(const content_info& content, std::span<const piece> pieces, segment_outcome& outcome);

  content_store& contents_;
  std::shared_ptr<const toc_view> toc_;
  segment_limits limits_;
  std::mutex lock_;
  std::unordered_map<std::uint32_t, merkle_verifier> verifiers_;  // by content index
};

}  // namespace firstlight
