#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "schemas/admin.hpp"

namespace firstlight {

/// What `firstlight status` prints for people. Pure; `now` is Unix seconds.
[[nodiscard]] std::string status_text(const admin_node_status& status, std::int64_t now);
[[nodiscard]] std::string status_text(const admin_hub_status& status, std::int64_t now);

/// What `firstlight sessions` prints.
[[nodiscard]] std::string sessions_text(const std::vector<admin_session>& sessions, std::int64_t now);

}  // namespace firstlight
