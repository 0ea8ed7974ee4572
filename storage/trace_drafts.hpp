#pragma once
#include <functional>
#include <vector>

#include "model/trace.hpp"
#include "storage/database.hpp"

namespace firstlight {

/// TRACE DRAFTS: what there is of the traces of starts that a node is recording, so that it outlives the
/// node's process, though not a power cut. Any thread; calls may block on the disk. Errors of all members:
/// `io`.
class trace_drafts {
 public:
  /// `metadata` outlives this.
  explicit trace_drafts(database& metadata) : metadata_(metadata) {}

  /// Takes the place of an earlier draft of the same id.
  result<void> keep(const trace& so_far);
  /// One that is not there is no error.
  result<void> drop(const trace_id& id);
  /// All that can be read. The others are dropped, and `damaged` is called with why.
  [[nodiscard]] result<std::vector<trace>> left(const std::function<void(const error&)>& damaged);

 private:
  database& metadata_;
};

}  // namespace firstlight
