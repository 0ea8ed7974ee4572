#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "model/overlay_merge.hpp"

namespace firstlight {

/// Bounds on what an image source may send; whatever exceeds one ends the ingestion with `limit_exceeded`.
struct ingest_limits {
  std::uint32_t manifest_bytes_max = 4U << 20U;  ///< an index or a manifest
  std::uint32_t config_bytes_max = 8U << 20U;    ///< an image configuration
  std::uint32_t layers_max = 1024;               ///< of one image
  std::uint32_t index_depth_max = 4;             ///< indexes within indexes
  std::uint64_t layer_bytes_max = 64ULL << 30U;  ///< one layer, compressed
  std::uint64_t layer_unpacked_bytes_max = 256ULL
                                           << 30U;     ///< one layer's tar, and the sum of its files' sizes
  std::uint32_t expansion_ratio_max = 1100;            ///< unpacked to compressed bytes, above the next line
  std::uint64_t expansion_free_bytes = 256ULL << 20U;  ///< unpacked bytes before the ratio is looked at
  std::uint32_t zstd_window_bytes_max = 128U << 20U;   ///< memory that a zstd frame may ask for
  std::uint32_t entries_per_layer_max = 4'000'000;
  std::uint32_t path_bytes_max = 4095;                  ///< a path or a link target in a tar, as Linux has it
  std::uint32_t extended_header_bytes_max = 4U << 20U;  ///< PAX records of one entry
  std::uint32_t xattrs_per_entry_max = 128;
  std::uint32_t xattr_value_bytes_max = 64U << 10U;    ///< as Linux has it
  std::uint32_t xattr_name_bytes_max = 255;            ///< as Linux has it
  std::uint32_t sparse_regions_max = 1U << 20U;        ///< data regions of one sparse file
  std::uint32_t archive_entries_max = 100'000;         ///< files in an OCI or docker archive
  std::uint32_t entries_cached_bytes_max = 1U << 30U;  ///< one layer's entries as they are stored
  merge_limits merge;
};

/// How registries are spoken to.
struct registry_limits {
  std::string ca_file;  ///< PEM: who else may sign a registry's certificate, beside the system's CAs
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{30'000};    ///< no byte for so long is a failed attempt
  std::chrono::milliseconds request_timeout{60'000};  ///< manifests, configurations and tokens as a whole
  std::chrono::milliseconds credential_helper_timeout{10'000};
  std::chrono::milliseconds backoff_first{200};  ///< doubles, jittered
  std::chrono::milliseconds backoff_max{10'000};
  std::uint32_t attempts_max = 5;  ///< without progress, before giving up
  std::uint32_t redirects_max = 8;
  std::uint32_t token_bytes_max = 1U << 20U;     ///< a token server's or credential helper's answer
  std::uint32_t header_bytes_max = 64U << 10U;   ///< one answer's headers that are kept
  std::uint32_t buffered_bytes_max = 1U << 20U;  ///< of a blob, received but not yet read
};

}  // namespace firstlight
