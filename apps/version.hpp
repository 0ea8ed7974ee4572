#pragma once
#include <string>
#include <string_view>

namespace firstlight {

/// The release, e.g. "0.1.0".
[[nodiscard]] std::string_view software_version();
/// "firstlight 0.1.0 (protocol 2)"
[[nodiscard]] std::string version_line();

}  // namespace firstlight
