#pragma once
#include "model/image_reference.hpp"
#include "model/static_order.hpp"
#include "storage/image_catalogue.hpp"
#include "storage/ingest.hpp"
#include "storage/learn_image.hpp"
#include "storage/oci/open_source.hpp"

namespace firstlight {

/// What taking an image in works with; all outlive the call.
struct add_image_tools {
  image_catalogue& catalogue;
  content_store& contents;
  layer_cache& layers;
  const source_options& source;
  const static_order_limits& order_limits;
  const trace_store& traces;  ///< of starts of this image, if they came first, and of its relatives
  const learning_options& learning;
  trace_store::on_damage
      unlearned{};  ///< is told of traces that teach nothing; the image is added all the same
  std::uint64_t store_bytes_max = 0;  ///< as in `ingest_tools`
  /// Is told of a new image of which traces came first, also if they had no room.
  std::function<void(const toc_id&)> traced{};
};

/// One image to take in, or to look after.
struct add_image_request {
  image_reference reference;
  platform wanted;
  std::string name;      ///< under which the catalogue keeps it: `reference.text()` or the user's
  std::int64_t now = 0;  ///< seconds since the epoch
  std::function<void(const pull_progress&)> progress;
  const std::atomic<bool>* stop = nullptr;
  /// Where the image that `reference` pins is read from instead. Errors: `not_found` if that is another one.
  std::optional<image_reference> read_from{};
  /// What was refused for want of room a moment ago: if the reference still means that, it is refused unread.
  std::optional<room_need> refused{};
  /// Is told of an image that is refused for `store_bytes_max`, also of `refused`; may be empty.
  std::function<void(const room_need&)> no_room{};
};

/// Whether a store has all contents of an image, which are known, whole. A disk that fails, or somebody else,
/// can take some away.
[[nodiscard]] bool holds_all(const content_store& contents, const toc_view& toc);

/// Makes the catalogue's record of an image true: asks the source what the reference means now and, when
/// that is new or the store has lost some of it, ingests it, guesses its order or learns it from its
/// relatives, and stores TOC, order and record durably. Blocks; detached workers only. Errors: those of the
/// source, of `ingest_image`, of the stores; `io` also when a failing disk has taken away what was stored
/// meanwhile. The former record stays on error.
[[nodiscard]] result<image_record> add_image(const add_image_tools& tools, const add_image_request& request);

/// Only asks the source: the record, with a new time of checking, if the reference still means what is known
/// and the store has all of it. Nothing: `add_image` is needed. Adds no content and refers to none that the
/// record does not name, and does not bring a record back that is removed meanwhile; so it may run while
/// images are removed and contents swept. Blocks; detached workers only. Errors: those of the source, of the
/// catalogue.
[[nodiscard]] result<std::optional<image_record>> check_image(const add_image_tools& tools,
                                                              const add_image_request& request);

}  // namespace firstlight
