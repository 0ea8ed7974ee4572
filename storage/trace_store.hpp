#pragma once
#include <functional>

#include "model/trace.hpp"
#include "model/trace_selection.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// TRACE STORE: the traces of a hub, or those that a node has not sent yet. Every change is durable when a
/// call returns. Any thread; calls may block on the disk. Errors of all members: `io`, `corrupt`.
class trace_store {
 public:
  enum class outcome : std::uint8_t { added, known };

  /// `metadata` outlives the store. More than `kept_max` traces of one image are not kept: the oldest go.
  explicit trace_store(database& metadata, std::uint32_t kept_max)
      : metadata_(metadata), kept_max_(kept_max) {}

  /// A trace that was added before is known, also after it has been removed.
  result<outcome> add(const trace& recorded);
  [[nodiscard]] result<std::optional<trace>> find(const trace_id& id) const;
  [[nodiscard]] result<std::vector<trace_stamp>> stamps(const toc_id& image) const;
  /// All traces of an image, by id.
  [[nodiscard]] result<std::vector<trace>> of_image(const toc_id& image) const;
  /// Which images have traces, and how many.
  [[nodiscard]] result<std::map<toc_id, std::uint32_t>> images() const;
  /// Visits all traces until `visit` says no.
  result<void> for_each(const std::function<bool(trace&&)>& visit) const;
  /// Whether a trace is here or was removed.
  [[nodiscard]] result<bool> knows(const trace_id& id) const;
  /// The ids of all traces that are here or were removed.
  [[nodiscard]] result<std::vector<trace_id>> known() const;

  /// Removes a trace and remembers its id.
  result<void> remove(const trace_id& id);
  /// Removes all traces of an image. @returns how many
  result<std::uint32_t> remove_all(const toc_id& image);
  /// Removes a trace and its id: it may come again.
  result<void> forget(const trace_id& id);

 private:
  [[nodiscard]] result<std::optional<toc_id>> image_of(const trace_id& id) const;
  result<void> drop_oldest(const toc_id& image);

  database& metadata_;
  std::uint32_t kept_max_;
};

}  // namespace firstlight
