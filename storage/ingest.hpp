#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "config/ingest_limits.hpp"
#include "model/image_config.hpp"
#include "model/image_tree.hpp"
#include "model/store_room.hpp"
#include "storage/content_store.hpp"
#include "storage/layer_cache.hpp"
#include "storage/oci/image_source.hpp"

namespace firstlight {

/// How far an ingestion is.
struct ingest_progress {
  std::uint32_t layers_total = 0;
  std::uint32_t layers_done = 0;
  std::uint64_t bytes_total = 0;  ///< compressed, of all layers
  std::uint64_t bytes_done = 0;   ///< compressed; a layer from the cache counts as a whole
  std::uint64_t files = 0;        ///< entries seen so far
};

/// What an image has become. Its contents are in the content store.
struct ingested_image {
  digest top_digest;  ///< what the reference pointed to
  digest manifest_digest;
  std::string manifest_json;
  std::string config_json;
  image_config config;
  image_tree tree;
  std::uint64_t compressed_bytes = 0;  ///< of all layers, as the source has them
  std::uint32_t layers_read = 0;       ///< not taken from the cache
};

/// What an ingestion works with; all outlive the call.
struct ingest_tools {
  content_store& contents;
  layer_cache& layers;
  const ingest_limits& limits;
  std::function<void(const ingest_progress&)> progress;  ///< may be empty; called a few times a MiB at most
  const std::atomic<bool>* stop = nullptr;               ///< may be null; once true: `cancelled`
  std::uint32_t layers_wanted = 0;                       ///< only so many, from the lowest; 0: all
  std::uint64_t store_bytes_max = 0;  ///< of all contents; what is new beyond it is refused; 0: no limit
  /// Is told of an image that is refused for `store_bytes_max`; may be empty.
  std::function<void(const room_need&)> no_room{};
};

/// Reads one image: every layer is checked against its digest and its diff id while it streams, files go to
/// the content store one by one, and the layers are merged. Memory: the entries of the image and a few MiB.
/// A failure leaves only whole, unreferenced contents behind. Not before the layers' digests have been
/// confirmed are their entries cached or merged. The caller makes the contents durable (`checkpoint`).
/// Of an image that is not read whole the manifest's digest is `layers_digest`: it is another image to all.
/// Errors: those of `image_source`; `not_found` for more layers than there are; `corrupt` for wrong bytes;
/// `limit_exceeded`; `cancelled`; the store's; `no_space` also for `store_bytes_max`. A file is stored only
/// if its size leaves the store within that, so the store exceeds it at most by the files that other
/// ingestions are storing at the same moment, one each. A file without room is only compared with what is
/// there; an image whose compressed layers are larger than the whole limit is refused before any of them is
/// read.
[[nodiscard]] result<ingested_image> ingest_image(image_source& source, const platform& wanted,
                                                  const ingest_tools& tools);

}  // namespace firstlight
