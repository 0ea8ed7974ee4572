#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/bytes.hpp"
#include "model/result.hpp"

/// COLUMNS: rearranges the tables inside a message column by column, so that it compresses better; what
/// stands beside the tables stays where it is. Fields of one kind are alike, and many count up from row to
/// row.
namespace firstlight {

/// How a column of 32-bit little-endian words is written.
enum class column_form : std::uint8_t {
  words = 0,             ///< one after the other
  bytes = 1,             ///< all lowest bytes, then all second ones, ...
  word_differences = 2,  ///< each less the one before it (modulo 2^32), one after the other
  byte_differences = 3,  ///< the same, by bytes
};
inline constexpr std::uint8_t column_form_last = 3;

/// A table of `rows` rows of as many words as it has columns, at `offset` bytes in its message.
struct column_table {
  std::uint64_t offset = 0;
  std::uint32_t rows = 0;
  std::vector<column_form> columns;
  friend bool operator==(const column_table&, const column_table&) = default;
};

/// Errors of both: `invalid_argument` when tables overlap, are not in order, or reach past the end.
[[nodiscard]] result<std::vector<std::byte>> to_columns(std::vector<std::byte> message,
                                                        std::span<const column_table> tables);
/// What `to_columns` with the same tables has made of it.
[[nodiscard]] result<std::vector<std::byte>> from_columns(std::vector<std::byte> rearranged,
                                                          std::span<const column_table> tables);

}  // namespace firstlight
