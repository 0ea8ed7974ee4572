#pragma once
#include <cstdint>
#include <string>

#include "schemas/admin.hpp"

namespace firstlight {

/// What `firstlight top` shows: bars of what arrives, who waits. Pure; `now` is Unix seconds.
[[nodiscard]] std::string live_view(const admin_node_status& status, std::int64_t now);
[[nodiscard]] std::string live_view(const admin_hub_status& status, std::int64_t now);

/// "[#####.....]": `width` characters between the brackets.
[[nodiscard]] std::string progress_bar(std::uint64_t done, std::uint64_t total, std::size_t width);

}  // namespace firstlight
