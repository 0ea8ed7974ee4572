#pragma once
#include <map>
#include <span>

#include "model/lost_times.hpp"
#include "model/trace.hpp"

namespace firstlight {

/// One start of an image that was labelled as belonging to a group.
struct grouped_start {
  toc_id image;
  std::string group;
  std::chrono::nanoseconds started{0};  ///< since the epoch
  std::vector<waited_span> waits{};     ///< for our delivery
};

struct start_offset_limits {
  std::chrono::milliseconds apart_max{300'000};  ///< starts that are further apart were not made together
};

/// How long after the first image of their group others are started: for each image the median over all times
/// that images of a group were started together, less what the first one had lost by then waiting for our
/// delivery: a slow link does not teach late starts. The group `default` says nothing; an image that was
/// never started with another one of `starts` is left out. Pure; the order of `starts` does not matter.
[[nodiscard]] std::map<toc_id, std::chrono::milliseconds> start_offsets(
    std::span<const grouped_start> starts, const start_offset_limits& limits = {});

}  // namespace firstlight
