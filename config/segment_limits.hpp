#pragma once
#include <cstdint>

namespace firstlight {

/// What one segment or TOC on its way may cost whoever receives it, and how it is packed.
struct segment_limits {
  std::uint32_t segment_bytes_max = 8U << 20U;  ///< unpacked
  std::uint32_t segment_runs_max = 65'536;
  std::uint32_t proof_nodes_max = 262'144;          ///< in all proofs of one segment
  std::uint64_t patch_base_bytes_max = 64U << 20U;  ///< a base is in memory while it is used
  std::uint64_t toc_bytes_max = 256U << 20U;        ///< unpacked
  std::uint32_t verifier_nodes_max = 1U << 20U;     ///< remembered for one content (about 80 bytes each)
  int compression_level = 3;                        ///< zstd; measured by bench/block_size
  int patch_level = 3;                              ///< zstd, of patches
  std::uint32_t dense_level = 19;                   ///< zstd, of what is packed anew; 0: nothing is
  std::uint32_t not_paying_max = 65'536;       ///< segments remembered that `dense_level` makes no smaller
  std::uint64_t tree_cache_bytes = 8U << 20U;  ///< hub: Merkle trees kept in memory
};

}  // namespace firstlight
