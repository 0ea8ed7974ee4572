#pragma once
#include <memory>
#include <set>

#include "storage/learn_image.hpp"

/// Which images may take each other's traces. All three block on the disk.
namespace firstlight {

/// An image that has traces. Its record may be gone, or its tag mean another image; if it has never been
/// here, only its traces are known.
struct image_relative {
  toc_id toc;
  std::string reference;
  bool same_repository = false;
  std::chrono::nanoseconds newest{0};          ///< of its traces, since the epoch
  std::shared_ptr<const toc_view> contents{};  ///< null: not here
  std::uint64_t shared_bytes = 0;              ///< with the image that is to be started, if that is known
};

/// Images whose traces may serve for this one, the nearest first: those of the same repository before others,
/// those whose tables of contents are here before those of which only traces are, then by what they share.
/// At most `relatives_max` of either kind; of which only traces are here none is of another repository.
[[nodiscard]] result<std::vector<image_relative>> relatives_of(const learn_tools& tools, const toc_id& image,
                                                               const toc_view& toc);

/// The images without traces of their own that may take those of this one, the newest first: of the same
/// repository, at most `relatives_max`, and of the newest `followers_max` others those that share contents.
/// None if it has no traces. Errors: `cancelled`, those of the stores.
[[nodiscard]] result<std::vector<toc_id>> followers_of(const learn_tools& tools, const toc_id& image);

/// The images without traces of their own whose order is still learned from one of these, which have none any
/// more, or from another one that has none. One pass over all images, however many have lost their traces.
/// Errors: those of the stores.
[[nodiscard]] result<std::vector<toc_id>> bereft_by(const learn_tools& tools,
                                                    const std::set<toc_id>& emptied);

}  // namespace firstlight
