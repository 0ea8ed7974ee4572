#pragma once
#include <cstdint>

namespace firstlight {

/// Memory and files of one embedded database.
struct database_limits {
  std::uint64_t block_cache_bytes = 6U << 20U;
  std::uint64_t write_buffer_bytes = 3U << 20U;      ///< one memtable; at most two exist
  std::uint64_t write_ahead_log_bytes = 16U << 20U;  ///< then memtables are flushed
  std::uint32_t open_files = 64;
  std::uint32_t background_jobs = 2;
};

/// Limits of the content store.
struct content_store_limits {
  std::uint64_t writer_memory_bytes = 1U << 20U;  ///< a new content is kept in memory up to this size
};

/// Limits of the image catalogue.
struct catalogue_limits {
  std::uint32_t tocs_kept_open = 4;      ///< mapped although nobody uses them now
  std::uint32_t unnamed_kept_max = 256;  ///< hub: TOCs of images whose tag means another one now, the latest
  std::uint32_t patches_kept_max = 512;  ///< files with a part of a TOC as a patch against another one
};

/// Limits of the layer registry.
struct layer_limits {
  std::uint32_t layers_max = 100'000;
  std::uint32_t name_bytes_max = 255;
  std::uint32_t labels_max = 64;         ///< of one layer
  std::uint32_t label_bytes_max = 4096;  ///< of one label's key and value together
};

}  // namespace firstlight
