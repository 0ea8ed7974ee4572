#pragma once
#include <string>

#include "model/order_score.hpp"

namespace firstlight {

/// Draws a replay as an SVG picture: files from top to bottom in the order of their first accesses, time from
/// left to right; a bar where the program waited, in another colour where it had to ask out of turn, and a
/// mark when the last byte of what it then read had arrived. `paths` names contents by number; missing ones
/// are shown by number.
[[nodiscard]] std::string plot_replay(const order_score& score, std::span<const std::string> paths,
                                      std::string_view title);

}  // namespace firstlight
