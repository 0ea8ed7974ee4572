#pragma once
#include <string>

namespace firstlight {

/// docs/settings.md: every setting of both daemons, from the one table. Pure.
[[nodiscard]] std::string settings_reference();

/// The same as one line of JSON: {"hub":[{"name","kind","value","doc"}],"node":[...]}; values are defaults.
/// Pure.
[[nodiscard]] std::string settings_reference_json();

}  // namespace firstlight
