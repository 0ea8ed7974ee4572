#pragma once
#include "model/transfer.hpp"
#include "schemas/toc.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// What the store holds of an image, as a pull request tells it. Its contents are known.
[[nodiscard]] had_image holdings_of(const toc_id& id, const toc_view& toc, const content_store& store);

/// How much of an image the store holds. Nothing counts while the image's contents are not known.
struct held_bytes {
  std::uint64_t ready = 0;  ///< unpacked, whole blocks
  std::uint64_t total = 0;
  std::vector<std::uint32_t> incomplete;  ///< indexes of contents that are not whole
};
[[nodiscard]] held_bytes measure_held(const toc_view& toc, const content_store& store);

}  // namespace firstlight
