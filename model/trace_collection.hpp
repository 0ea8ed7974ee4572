#pragma once
#include <span>

#include "model/trace.hpp"

namespace firstlight {

/// An image as trace files name it.
struct named_image {
  std::string name;
  std::string tag;
  friend auto operator<=>(const named_image&, const named_image&) = default;
};

/// One access of an optimised group.
struct group_access {
  std::string path;
  std::chrono::nanoseconds access{0};  ///< since the earliest start of the group
  std::chrono::nanoseconds wait{0};
  std::uint32_t rank = 0;   ///< counts from 0 in the order of accesses
  std::uint32_t image = 0;  ///< index into `images`
  friend bool operator==(const group_access&, const group_access&) = default;
};

/// OPTIMISED GROUP: images that are started together, and what their starts read together. Source: the trace
/// collection of Starlight (NSDI 2022).
struct optimised_group {
  std::vector<named_image> images;     ///< by name and tag, each once
  std::vector<group_access> accesses;  ///< by access
  friend bool operator==(const optimised_group&, const optimised_group&) = default;
};

/// A trace with its image's name, for grouping.
struct labelled_trace {
  named_image image;
  trace what;
};

/// Makes the groups: each trace of the group `default` its own; of any other label one with all its traces,
/// where the earliest start is time zero and each trace is shifted by its own start. Pure; the order of
/// `traces` does not matter.
[[nodiscard]] std::vector<optimised_group> collect_groups(std::span<const labelled_trace> traces);

/// One start of a group.
struct group_start {
  named_image image;
  std::chrono::nanoseconds started{0};  ///< since the earliest start of the group
  std::vector<group_access> accesses;   ///< since its own start, each path once; without rank and image
  friend bool operator==(const group_start&, const group_start&) = default;
};

/// Takes a group apart again: a start begins with its first access, the first of all at time zero. Of an
/// image that reads a path twice there are two starts; one that reads nothing has none. Grouped under a label
/// of their own they give the same group, if it was made by `collect_groups`. Pure.
[[nodiscard]] std::vector<group_start> starts_of(const optimised_group& group);

}  // namespace firstlight
