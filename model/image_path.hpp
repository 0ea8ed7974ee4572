#pragma once
#include <string_view>
#include <vector>

namespace firstlight {

/// The components of a path inside an image, cleaned by its letters alone: "." and "" left out, ".." takes
/// the component before it away, and stays at the root there. "./a/../../b//c/" gives {"b", "c"}; the root
/// gives {}.
[[nodiscard]] std::vector<std::string_view> clean_components(std::string_view path);

}  // namespace firstlight
