#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace firstlight {

/// How long a server asks its clients to stay away, by its header Retry-After; more than a day is a day.
/// @returns nothing if it does not say so in seconds
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view header);

}  // namespace firstlight
