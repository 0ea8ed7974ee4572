#pragma once
#include <atomic>

#include "config/trace_limits.hpp"
#include "model/relative_order.hpp"
#include "storage/content_store.hpp"
#include "storage/image_catalogue.hpp"
#include "storage/trace_store.hpp"

/// From the traces of a hub to the order in which it delivers an image. The steps block on the disk and
/// compute for some milliseconds.
namespace firstlight {

/// What learning works with; all outlive the call.
struct learn_tools {
  image_catalogue& catalogue;
  const trace_store& traces;
  const learning_options& options;
  trace_store::on_damage damaged{};         ///< is told of traces that cannot be read, which are left out
  const std::atomic<bool>* stop = nullptr;  ///< the call ends with `cancelled`
  const content_store* contents = nullptr;  ///< of files that relatives have in another version; may be null
  /// Is told of traces that came before their image and do not fit it; they are left out.
  std::function<void(const trace& recorded, const error& why)> unfit{};

  [[nodiscard]] bool stopped() const { return stop != nullptr && stop->load(); }
};

/// The starts of an image that count, with their weights; traces that do not fit the image are left out.
[[nodiscard]] result<std::vector<observed_start>> starts_of(const learn_tools& tools, const toc_id& image);

/// The starts of an image's nearest relative that has traces (`relatives_of`), as this image's own would be.
/// Of a relative whose table of contents is not here files are found by their names. Empty without any.
struct relative_starts {
  std::string reference;  ///< of the relative
  std::vector<observed_start> starts;
  relative_files files;
};
[[nodiscard]] result<relative_starts> relatives_starts(const learn_tools& tools, const toc_id& image);

/// The order that these starts teach; what only the guess names follows it.
[[nodiscard]] stored_order order_from(const learn_tools& tools, const toc_view& toc,
                                      std::span<const observed_start> starts, const stored_order& guessed);

/// The same of the starts of a relative, with what they cannot teach (`order_of_relative`).
[[nodiscard]] stored_order order_from_relative(const learn_tools& tools, const toc_view& toc,
                                               const relative_starts& relative, const stored_order& guessed);

/// Learns the order of an image anew and stores it; without traces of its own or of relatives the guess is
/// used again. @returns what it is delivered in from now on. Errors: `not_found` for an unknown image; those
/// of the stores.
[[nodiscard]] result<stored_order> learn_image(const learn_tools& tools, const toc_id& image);

}  // namespace firstlight
