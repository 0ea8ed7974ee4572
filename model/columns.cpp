#include "model/columns.hpp"

#include <bit>
#include <cstring>

namespace firstlight {
namespace {

constexpr std::uint64_t word_bytes = sizeof(std::uint32_t);

static_assert(std::endian::native == std::endian::little, "words are read as they stand");

constexpr bool by_bytes(column_form form) {
  return form == column_form::bytes || form == column_form::byte_differences;
}
constexpr bool by_differences(column_form form) {
  return form == column_form::word_differences || form == column_form::byte_differences;
}

result<void> check(bytes_view message, std::span<const column_table> tables) {
  std::uint64_t end = 0;
  for (const auto& table : tables) {
    const auto bytes = std::uint64_t{table.rows} * table.columns.size() * word_bytes;
    if (table.offset < end || table.offset > message.size() || bytes > message.size() - table.offset)
      return fail(errc::invalid_argument, "tables that overlap or reach past the end of their message");
    end = table.offset + bytes;
  }
  return {};
}

std::uint32_t load(const std::byte* from) {
  std::uint32_t word = 0;
  std::memcpy(&word, from, word_bytes);
  return word;
}
void store(std::byte* to, std::uint32_t word) {
  std::memcpy(to, &word, word_bytes);
}

/// Places of one column's word in both arrangements.
struct column_place {
  std::uint64_t rows;
  std::uint64_t stride;  // bytes from row to row

  [[nodiscard]] std::uint32_t gather(const std::byte* column, std::uint64_t row, column_form form) const {
    if (!by_bytes(form)) return load(column + row * word_bytes);
    std::uint32_t word = 0;
    for (unsigned i = 0; i < word_bytes; ++i)
      word |= std::to_integer<std::uint32_t>(column[i * rows + row]) << (8 * i);
    return word;
  }
  void scatter(std::byte* column, std::uint64_t row, column_form form, std::uint32_t word) const {
    if (!by_bytes(form)) return store(column + row * word_bytes, word);
    for (unsigned i = 0; i < word_bytes; ++i)
      column[i * rows + row] = static_cast<std::byte>(word >> (8 * i));
  }
};

}  // namespace

result<std::vector<std::byte>> to_columns(bytes_view message, std::span<const column_table> tables) {
  if (auto checked = check(message, tables); !checked) return tl::unexpected(checked.error());
  std::vector<std::byte> made(message.begin(), message.end());
  for (const auto& table : tables) {
    const column_place place{table.rows, table.columns.size() * word_bytes};
    for (std::uint64_t c = 0; c < table.columns.size(); ++c) {
      const auto* from = message.data() + table.offset + c * word_bytes;
      auto* to = made.data() + table.offset + c * word_bytes * table.rows;
      std::uint32_t before = 0;
      for (std::uint64_t row = 0; row < table.rows; ++row) {
        const auto word = load(from + row * place.stride);
        place.scatter(to, row, table.columns[c], by_differences(table.columns[c]) ? word - before : word);
        before = word;
      }
    }
  }
  return made;
}

result<std::vector<std::byte>> from_columns(bytes_view rearranged, std::span<const column_table> tables) {
  if (auto checked = check(rearranged, tables); !checked) return tl::unexpected(checked.error());
  std::vector<std::byte> message(rearranged.begin(), rearranged.end());
  for (const auto& table : tables) {
    const column_place place{table.rows, table.columns.size() * word_bytes};
    for (std::uint64_t c = 0; c < table.columns.size(); ++c) {
      const auto* from = rearranged.data() + table.offset + c * word_bytes * table.rows;
      auto* to = message.data() + table.offset + c * word_bytes;
      std::uint32_t before = 0;
      for (std::uint64_t row = 0; row < table.rows; ++row) {
        auto word = place.gather(from, row, table.columns[c]);
        if (by_differences(table.columns[c])) word += before;
        store(to + row * place.stride, word);
        before = word;
      }
    }
  }
  return message;
}

}  // namespace firstlight
