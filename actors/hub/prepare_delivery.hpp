#pragma once
#include <unordered_map>

#include "actors/hub/image_library.hpp"
#include "model/delivery.hpp"
#include "model/start_offsets.hpp"
#include "storage/pki/statement_signature.hpp"

namespace firstlight {

/// A content of one delivery that another one of the same session brings.
struct loan {
  std::uint64_t delivery = 0;
  std::uint32_t content = 0;  ///< index in that one's TOC
};
using loans = std::unordered_map<std::uint32_t, loan>;  ///< by content index of the borrower's TOC

/// A delivery that is under way while another one is planned: together they are one bundle, in which every
/// content comes once.
struct lender {
  std::uint64_t delivery = 0;
  toc_id toc;
  std::string reference;  ///< of the image
  block_geometry geometry;
  std::shared_ptr<const std::vector<content_info>> contents;
  std::shared_ptr<const loans> borrowed;  ///< which it does not bring itself
};

/// A delivery before its first segment leaves.
struct prepared_delivery {
  pull_started started;
  std::shared_ptr<const bundle_plan> plan;
  std::shared_ptr<const std::vector<content_info>> contents;  ///< of the TOC, by index
  std::shared_ptr<const loans> borrowed;
  /// Of this image and the lenders': how long after the first of them each begins to read. Those that are not
  /// known to be started together are left out.
  std::map<toc_id, std::chrono::milliseconds> offsets;
};

/// What preparing works with. The stores outlive it.
struct preparation_tools {
  image_catalogue& catalogue;
  const trace_store& traces;
  signing_identity identity;
  plan_limits plan;
  patch_limits patch;
  start_offset_limits starts{};
};

/// Signs an image's TOC and packs its parts in their order; nothing if the node has it. It comes before the
/// plan, since a mount waits for it. Blocks for a millisecond. Errors: `io`, `corrupt`.
[[nodiscard]] result<std::vector<toc_frame>> prepare_toc(const preparation_tools& tools,
                                                         const known_image& image,
                                                         const pull_request& request, std::int64_t now);

/// Plans what a node lacks of an image and no lender brings. Computes for some milliseconds, and reads the
/// TOCs that the node has; if there are lenders, their traces too.
[[nodiscard]] prepared_delivery prepare_delivery(const preparation_tools& tools, const known_image& image,
                                                 const pull_request& request,
                                                 std::span<const lender> lenders = {});

}  // namespace firstlight
