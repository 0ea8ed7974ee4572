#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// How many letters must be added, removed or changed to make one text the other.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `known` that was probably meant by `typed`: the nearest, if at most a third of its letters
/// differ. Empty if none is near. Ties go to the first.
[[nodiscard]] std::string nearest(std::string_view typed, const std::vector<std::string>& known);

}  // namespace firstlight
