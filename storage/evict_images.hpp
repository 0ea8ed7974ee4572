#pragma once
#include <functional>

#include "storage/content_store.hpp"
#include "storage/image_catalogue.hpp"

namespace firstlight {

/// An image whose contents are read, whatever the catalogue says.
struct used_image {
  toc_id id;
  std::shared_ptr<const toc_view> toc;
};

struct eviction_request {
  std::uint64_t bytes_max = 0;  ///< 0: every image goes that is not needed, also one without contents
  std::function<bool(const image_record&)> needed;  ///< is not forgotten
  std::vector<used_image> in_use;
};

struct eviction {
  std::vector<image_record> images;  ///< forgotten, in this order
  std::uint64_t bytes_removed = 0;
};

/// Removes the contents and TOCs that no record names and nothing uses, as of former versions of images. They
/// stay as long as it is not known of each image what it needs: a record or a TOC is damaged.
/// Then brings the content store down to `bytes_max` bytes: forgets images, the one that was used longest ago
/// first, and the contents that nothing else has, until it is small enough or every image that is left is
/// `needed`. Contents of a needed image, or in use, are never removed. The caller sees to it that no image is
/// arriving meanwhile. Errors: `io`, `corrupt`; what was forgotten before stays so.
[[nodiscard]] result<eviction> evict_images(image_catalogue& catalogue, content_store& contents,
                                            const eviction_request& request);

}  // namespace firstlight
