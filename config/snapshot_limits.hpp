#pragma once
#include <cstdint>

namespace firstlight {

/// What containerd may ask of a node's snapshots.
struct snapshot_limits {
  std::uint32_t snapshots_max = 100'000;
  std::uint32_t name_bytes_max = 4096;   ///< of a snapshot
  std::uint32_t labels_max = 256;        ///< of one snapshot
  std::uint32_t label_bytes_max = 4096;  ///< of one label's key and value together: containerd's own limit
  std::uint32_t chain_max = 200;         ///< snapshots above each other; overlayfs takes 500 layers
  /// Of one mount, as containerd shortens them: Linux takes a page, of which the last byte ends the text.
  std::uint32_t mount_options_bytes_max = 4095;
  std::uint32_t filters_max = 64;  ///< of one listing
  std::uint32_t filter_bytes_max = 4096;
  std::uint32_t pattern_bytes_max = 1U << 20U;  ///< of memory for one regular expression in a filter
};

}  // namespace firstlight
