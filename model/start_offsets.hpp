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
  std::string node;                          ///< on which it was started
  std::chrono::nanoseconds started{0};       ///< since the epoch
  std::vector<waited_span> waits{};          ///< for our delivery
  std::chrono::nanoseconds first_access{0};  ///< since it was started
};

struct start_offset_limits {
  std::chrono::milliseconds apart_max{300'000};  ///< starts that are further apart were not made together
  std::uint32_t traces_max = 64;  ///< starts that are looked at; of more the latest (storage/joint_start.hpp)
};

/// How long after the first image of their group others begin to read: for each image the median over all
/// times that images of a group were started together on one node. Of what lay between two starts that is
/// taken out which the first of all had lost by then waiting for our delivery: a slow link does not teach
/// late starts. Learned orders count from a start's first access (model/learned_order.hpp), and so do these
/// offsets. The group `default` says nothing; an image that was never started with another one of `starts` is
/// left out. Pure; the order of `starts` does not matter.
[[nodiscard]] std::map<toc_id, std::chrono::milliseconds> start_offsets(
    std::span<const grouped_start> starts, const start_offset_limits& limits = {});

}  // namespace firstlight
