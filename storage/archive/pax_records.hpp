#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "model/image_tree.hpp"

namespace firstlight {

/// The records of one PAX header: keyword to value, later ones win. GNU's repeated sparse 0.0 records
/// (offset, numbytes) are gathered into one "GNU.sparse.map", as version 0.1 has it.
using pax_records = std::map<std::string, std::string, std::less<>>;

/// Errors: `corrupt`.
[[nodiscard]] result<pax_records> parse_pax_records(std::string_view text);

/// "1700000000.123456789", maybe negative. Digits beyond nanoseconds are cut off. Errors: `corrupt`.
[[nodiscard]] result<timestamp> parse_pax_time(std::string_view text);

/// A decimal number. Errors: `corrupt`.
[[nodiscard]] result<std::int64_t> parse_decimal(std::string_view text);

}  // namespace firstlight
