#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "config/trace_limits.hpp"
#include "model/trace.hpp"
#include "model/trace_eviction.hpp"
#include "storage/database.hpp"

namespace firstlight {

struct removed_orphans {
  std::uint32_t traces = 0;
  std::set<toc_id> images;  ///< whose they were
};

/// TRACE STORE: the traces of a hub, or those that a node has not sent yet. Every change is made whole, and
/// is durable when a call returns. Any thread; calls may block on the disk. Errors of all members: `io`,
/// `corrupt`.
class trace_store {
 public:
  enum class outcome : std::uint8_t {
    added,
    known,    ///< it is here, or was
    dropped,  ///< there is no room for it beside the others: known from now on
  };
  using clock = std::function<std::chrono::nanoseconds()>;         ///< since the epoch
  using on_damage = std::function<void(const error& of_a_trace)>;  ///< it is left out

  /// `metadata` outlives the store; one store a database. A store of an earlier version is completed,
  /// and all its images are to be learned anew.
  static result<std::unique_ptr<trace_store>> open(database& metadata, const trace_store_limits& limits,
                                                   clock now = system_now);
  [[nodiscard]] static std::chrono::nanoseconds system_now();

  /// A trace that was added before is known, also after it has been removed. When there are too many of its
  /// image, or they are too large together, others go (model/trace_eviction.hpp).
  result<outcome> add(const trace& recorded);
  [[nodiscard]] result<std::optional<trace>> find(const trace_id& id) const;
  /// The same; one that cannot be read is told of and left out.
  [[nodiscard]] result<std::optional<trace>> find_readable(const trace_id& id,
                                                           const on_damage& damaged = {}) const;
  [[nodiscard]] result<std::vector<trace_stamp>> stamps(const toc_id& image) const;
  /// Of all images that have traces.
  [[nodiscard]] result<std::map<toc_id, std::vector<trace_stamp>>> stamps() const;
  /// All traces of an image, by id.
  [[nodiscard]] result<std::vector<trace>> of_image(const toc_id& image, const on_damage& damaged = {}) const;
  /// Which images have traces, and how many.
  [[nodiscard]] result<std::map<toc_id, std::uint32_t>> images() const;
  /// Visits all traces until `visit` says no.
  result<void> for_each(const std::function<bool(trace&&)>& visit, const on_damage& damaged = {}) const;
  /// Whether a trace is here or was removed.
  [[nodiscard]] result<bool> knows(const trace_id& id) const;
  /// The ids of all traces that are here or were removed.
  [[nodiscard]] result<std::vector<trace_id>> known() const;

  /// Removes a trace and remembers its id.
  result<void> remove(const trace_id& id);
  /// Removes all traces of an image. @returns how many
  result<std::uint32_t> remove_all(const toc_id& image);
  /// Removes traces of images that are not in `known` until the others have room. They may come again once
  /// their image is here (`let_return`).
  result<removed_orphans> trim_orphans(const std::set<toc_id>& known, const trace_room& room);
  /// Removes all traces of images that are not in `known`, for good.
  result<removed_orphans> remove_orphans(const std::set<toc_id>& known);
  /// Images of which traces had no room since they were not here. Reads the ids of all removed traces.
  [[nodiscard]] result<std::set<toc_id>> had_no_room() const;
  /// Forgets the ids of traces of these images that had no room: they may come again. @returns how many
  result<std::uint32_t> let_return(const std::set<toc_id>& images);
  /// How many ids `let_return` has forgotten since the store was opened: whoever has asked which traces are
  /// known asks again when this has changed.
  [[nodiscard]] std::uint64_t returns() const { return returns_.load(); }
  /// Removes a trace and its id: it may come again. Nothing is learned of that.
  result<void> forget(const trace_id& id);
  /// Forgets the ids of traces that were removed long ago, and of too many (model/removed_traces.hpp).
  /// @returns how many
  result<std::uint32_t> forget_old_removals();

  /// Images whose traces have changed since `learned` was called for them, and those of `to_learn`.
  [[nodiscard]] result<std::set<toc_id>> unlearned() const;
  result<void> learned(const toc_id& image);
  /// Images that take the traces of another one which has changed.
  result<void> to_learn(const std::set<toc_id>& images);

 private:
  trace_store(database& metadata, const trace_store_limits& limits, clock now)
      : metadata_(metadata), limits_(limits), now_(std::move(now)) {}
  result<void> stamp_all();
  result<void> date_removals();
  result<void> learn_all_anew();
  [[nodiscard]] result<std::optional<toc_id>> image_of(const trace_id& id) const;
  enum class removal : std::uint8_t { for_good, for_lack_of_room };
  void remove_in(write_batch& batch, const toc_id& image, const trace_id& id,
                 removal why = removal::for_good) const;
  result<removed_orphans> remove_orphans(const std::set<toc_id>& known, const trace_room& room, removal why);
  /// Visits what was removed, the earliest first: its key, and of which image it was if it may come again.
  using on_removal = std::function<void(std::string_view key, const std::optional<toc_id>& image)>;
  result<void> for_each_removal(const on_removal& visit) const;

  database& metadata_;
  trace_store_limits limits_;
  clock now_;
  mutable std::mutex mutex_;  // of who reads to write
  std::atomic<std::uint64_t> returns_{0};
};

}  // namespace firstlight
