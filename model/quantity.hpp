#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/result.hpp"

/// Numbers with units as people write them, in settings and on the command line.
namespace firstlight {

/// "250ms", "10s", "5m", "2h", or "0". Whole numbers only. Errors: `invalid_argument`, naming the units.
[[nodiscard]] result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The largest unit that divides: "10s", "1500ms", "0".
[[nodiscard]] std::string format_duration(std::chrono::milliseconds value);

/// "4096", "64KiB", "64MiB", "8GiB", "1TiB"; KB, MB, GB, TB are powers of 1000. Errors: `invalid_argument`.
[[nodiscard]] result<std::uint64_t> parse_bytes(std::string_view text);
/// Exact, the largest binary unit that divides: "64MiB", "1000".
[[nodiscard]] std::string format_bytes(std::uint64_t value);

/// For people: "512 B", "1.4 MB", "12 GB" (powers of 1000, as link rates are given).
[[nodiscard]] std::string rounded_bytes(std::uint64_t value);
/// For people: "83 ms", "2.4 s", "3 min 12 s", "5 h 3 min", "2 d 4 h".
[[nodiscard]] std::string rounded_duration(std::chrono::milliseconds value);

/// A decimal number without sign, at most `max`. Errors: `invalid_argument`.
[[nodiscard]] result<std::uint64_t> parse_count(std::string_view text, std::uint64_t max);

}  // namespace firstlight
