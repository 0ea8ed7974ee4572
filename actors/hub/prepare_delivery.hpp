#pragma once
#include "actors/hub/image_library.hpp"
#include "model/delivery.hpp"
#include "storage/pki/statement_signature.hpp"

namespace firstlight {

/// A delivery before its first segment leaves.
struct prepared_delivery {
  pull_started started;
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

/// Signs an image's TOC and packs its parts in their order; nothing if the node has it. It comes before the
/// plan, since a mount waits for it. Blocks for a millisecond. Errors: `io`, `corrupt`.
[[nodiscard]] result<std::vector<toc_frame>> prepare_toc(const preparation_tools& tools,
                                                         const known_image& image,
                                                         const pull_request& request, std::int64_t now);

/// Plans what a node lacks of an image. Computes for some milliseconds, and reads the TOCs that the node has.
[[nodiscard]] prepared_delivery prepare_delivery(const preparation_tools& tools, const known_image& image,
                                                 const pull_request& request);

}  // namespace firstlight
