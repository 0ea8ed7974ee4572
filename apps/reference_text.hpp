#pragma once
#include <string>

namespace firstlight {

/// docs/settings.md: every setting of both daemons, from the one table. Pure.
[[nodiscard]] std::string settings_reference();

}  // namespace firstlight
