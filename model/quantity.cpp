#include "model/quantity.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace firstlight {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: the first that divides is the one to print.
constexpr std::array<unit, 4> durations{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 10> sizes{{{"TiB", 1ULL << 40U},
                                      {"GiB", 1ULL << 30U},
                                      {"MiB", 1ULL << 20U},
                                      {"KiB", 1ULL << 10U},
                                      {"TB", 1'000'000'000'000},
                                      {"GB", 1'000'000'000},
                                      {"MB", 1'000'000},
                                      {"KB", 1'000},
                                      {"B", 1},
                                      {"", 1}}};

struct number_and_unit {
  std::uint64_t number = 0;
  std::string_view unit;
};

result<number_and_unit> split(std::string_view text) {
  number_and_unit parts;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), parts.number);
  if (problem != std::errc())
    return fail(errc::invalid_argument, "'" + std::string(text) + "' is not a number");
  parts.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return parts;
}

template <std::size_t N>
result<std::uint64_t> scale(std::string_view text, const std::array<unit, N>& units,
                            std::string_view example) {
  const auto parts = split(text);
  if (!parts) return tl::unexpected(parts.error());
  if (parts->number == 0 && parts->unit.empty()) return 0;
  for (const auto& [name, factor] : units) {
    if (name != parts->unit) continue;
    if (parts->number > std::numeric_limits<std::int64_t>::max() / factor) {
      return fail(errc::invalid_argument, "'" + std::string(text) + "' is too large");
    }
    return parts->number * factor;
  }
  return fail(errc::invalid_argument,
              "'" + std::string(text) + "' needs a unit, as in " + std::string(example));
}

std::string two_units(std::uint64_t value, std::uint64_t large, const char* large_name, std::uint64_t small,
                      const char* small_name) {
  auto text = std::to_string(value / large) + " " + large_name;
  const auto rest = value % large / small;
  return rest == 0 ? text : text + " " + std::to_string(rest) + " " + small_name;
}

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  return scale(text, durations, "250ms, 10s, 5m or 2h").map([](std::uint64_t value) {
    return std::chrono::milliseconds(value);
  });
}

std::string format_duration(std::chrono::milliseconds value) {
  const auto count = static_cast<std::uint64_t>(value.count());
  for (const auto& [name, factor] : durations) {
    if (count != 0 && count % factor == 0) return std::to_string(count / factor).append(name);
  }
  return "0";
}

result<std::uint64_t> parse_bytes(std::string_view text) {
  return scale(text, sizes, "4096, 64KiB, 64MiB or 8GiB");
}

std::string format_bytes(std::uint64_t value) {
  for (std::size_t i = 0; i < 4; ++i) {
    if (value != 0 && value % sizes[i].factor == 0) {
      return std::to_string(value / sizes[i].factor).append(sizes[i].name);
    }
  }
  return std::to_string(value);
}

std::string rounded_bytes(std::uint64_t value) {
  constexpr std::array names{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto scaled = static_cast<double>(value);
  std::size_t step = 0;
  for (; scaled >= 999.5; ++step) scaled /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, step > 0 && scaled < 9.95 ? "%.1f %s" : "%.0f %s", scaled, names[step]);
  return text;
}

std::string rounded_duration(std::chrono::milliseconds value) {
  const auto ms = static_cast<std::uint64_t>(value.count());
  if (ms < 1'000) return std::to_string(ms) + " ms";
  if (ms < 60'000) {
    char text[32];
    std::snprintf(text, sizeof text, ms < 9'950 ? "%.1f s" : "%.0f s", static_cast<double>(ms) / 1000);
    return text;
  }
  const auto seconds = ms / 1000;
  if (seconds < 3'600) return two_units(seconds, 60, "min", 1, "s");
  if (seconds < 86'400) return two_units(seconds, 3'600, "h", 60, "min");
  return two_units(seconds, 86'400, "d", 3'600, "h");
}

result<std::uint64_t> parse_count(std::string_view text, std::uint64_t max) {
  const auto parts = split(text);
  if (!parts) return tl::unexpected(parts.error());
  if (!parts->unit.empty())
    return fail(errc::invalid_argument, "'" + std::string(text) + "' is not a plain number");
  if (parts->number > max)
    return fail(errc::invalid_argument, std::string(text) + " is above " + std::to_string(max));
  return parts->number;
}

}  // namespace firstlight
