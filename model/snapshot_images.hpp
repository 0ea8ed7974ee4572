#pragma once
#include <functional>
#include <set>

#include "model/snapshot_index.hpp"

namespace firstlight {

/// Which images of the hub's the snapshots of a node need. One that shows a whole image holds it: containers
/// start from it, also while the hub is away. Of images of which there are lower layers only, the highest
/// snapshot does. All that other inner snapshots show is the beginning of an image that is held by one above
/// them: they hold nothing. So an old version of an image is not kept by the layers that it has in common
/// with a newer one.

/// Whether they are fewer layers than the image has: to the hub an image of its own, `inner_reference`.
[[nodiscard]] bool is_inner(const remote_layers& what);
[[nodiscard]] std::string inner_reference(const remote_layers& what);

/// The nearest remote layers among a snapshot's parents; none if there are none.
[[nodiscard]] std::optional<remote_layers> remote_below(const std::vector<snapshot_record>& parents);

/// What a node must not forget.
struct snapshot_needs {
  std::set<std::string> references;
  std::set<digest> manifests;

  void add(const remote_layers& what);
};

/// What is held, and the images of inner snapshots that active snapshots and views stand on.
[[nodiscard]] snapshot_needs snapshot_needs_of(const snapshot_index& index);

/// Inner snapshots whose image nobody holds any more, as they are to be recorded: as the same lowest layers
/// of an image that is held above them, a whole one if there is one, and of several the one made last. Those
/// on which active snapshots and views stand stay as they are, since they are mounted so, and so do those of
/// which `spared` says it.
[[nodiscard]] std::vector<snapshot_record> shown_by_others(
    const snapshot_index& index, const std::function<bool(const remote_layers&)>& spared);

}  // namespace firstlight
