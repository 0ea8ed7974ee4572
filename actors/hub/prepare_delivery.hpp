#pragma once
#include "actors/hub/image_library.hpp"
#include "model/delivery.hpp"
#include "storage/pki/statement_signature.hpp"

namespace firstlight {

/// A delivery before its first segment leaves.
struct prepared_delivery {
  pull_started started;
  std::optional<toc_frame> toc;  ///< none: the node has it
  std::shared_ptr<const bundle_plan> plan;
  std::shared_ptr<const std::vector<content_info>> contents;  ///< of the TOC, by index
};

/// What preparing works with. The catalogue outlives it.
struct preparation_tools {
  image_catalogue& catalogue;
  signing_identity identity;
  plan_limits plan;
  patch_limits patch;
};

/// Plans what a node lacks of an image, signs its TOC and packs it. Blocks for some milliseconds.
/// Errors: `io`, `corrupt`.
[[nodiscard]] result<prepared_delivery> prepare_delivery(const preparation_tools& tools,
                                                         const known_image& image,
                                                         const pull_request& request, std::int64_t now);

}  // namespace firstlight
