#include "model/columns.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace firstlight {
namespace {

constexpr std::uint64_t word_bytes = sizeof(std::uint32_t);

static_assert(std::endian::native == std::endian::little, "words are read as they stand");

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

constexpr std::uint64_t rows_at_once = 256;

/// Words from the planes of their bytes. Inlined with a constant count it becomes vector instructions.
[[gnu::always_inline]] inline void join_bytes(const std::byte* first, std::uint64_t plane,
                                              std::uint64_t count,
                                              std::array<std::uint32_t, rows_at_once>& into) {
  const auto at = [=](unsigned which, std::uint64_t i) {
    return std::to_integer<std::uint32_t>(first[which * plane + i]) << (8 * which);
  };
  for (std::uint64_t i = 0; i < count; ++i) into[i] = at(0, i) | at(1, i) | at(2, i) | at(3, i);
}

/// One column in both arrangements. A mount waits for the loops: they are compiled for each form, and work on
/// local copies, which a store to bytes cannot change.
struct column {
  std::byte* alone;    ///< its words or bytes together
  std::byte* in_rows;  ///< its first word
  std::uint64_t rows;
  std::uint64_t stride;  ///< bytes from row to row

  template <bool ByBytes, bool ByDifferences>
  void write() const {
    auto* to = alone;
    const auto* from = in_rows;
    const auto plane = rows;
    const auto step = stride;
    std::uint32_t before = 0;
    for (std::uint64_t row = 0; row < plane; ++row, from += step) {
      const auto word = load(from);
      const auto written = ByDifferences ? word - before : word;
      before = word;
      if constexpr (ByBytes)
        for (unsigned i = 0; i < word_bytes; ++i)
          to[i * plane + row] = static_cast<std::byte>(written >> (8 * i));
      else
        store(to + row * word_bytes, written);
    }
  }
  template <bool ByBytes, bool ByDifferences>
  void read() const {
    std::array<std::uint32_t, rows_at_once> found{};
    const auto* from = alone;
    auto* to = in_rows;
    const auto plane = rows;
    const auto step = stride;
    std::uint32_t word = 0;
    for (std::uint64_t row = 0; row < plane; row += rows_at_once) {
      const auto count = std::min<std::uint64_t>(rows_at_once, plane - row);
      if constexpr (ByBytes)
        count == rows_at_once ? join_bytes(from + row, plane, rows_at_once, found)
                              : join_bytes(from + row, plane, count, found);
      else
        std::memcpy(found.data(), from + row * word_bytes, count * word_bytes);
      for (std::uint64_t i = 0; i < count; ++i, to += step) {
        word = ByDifferences ? word + found[i] : found[i];
        store(to, word);
      }
    }
  }
};

/// Calls `each` for every column of the tables, with its form.
template <class Each>
void for_each_column(std::span<const column_table> tables, std::byte* columns, std::byte* rows, Each each) {
  for (const auto& table : tables)
    for (std::uint64_t c = 0; c < table.columns.size(); ++c)
      each(column{columns + table.offset + c * table.rows * word_bytes, rows + table.offset + c * word_bytes,
                  table.rows, table.columns.size() * word_bytes},
           table.columns[c]);
}

void write(const column& one, column_form form) {
  switch (form) {
    case column_form::words:
      return one.write<false, false>();
    case column_form::bytes:
      return one.write<true, false>();
    case column_form::word_differences:
      return one.write<false, true>();
    case column_form::byte_differences:
      return one.write<true, true>();
  }
}

void read(const column& one, column_form form) {
  switch (form) {
    case column_form::words:
      return one.read<false, false>();
    case column_form::bytes:
      return one.read<true, false>();
    case column_form::word_differences:
      return one.read<false, true>();
    case column_form::byte_differences:
      return one.read<true, true>();
  }
}

}  // namespace

result<std::vector<std::byte>> to_columns(std::vector<std::byte> message,
                                          std::span<const column_table> tables) {
  if (auto checked = check(message, tables); !checked) return tl::unexpected(checked.error());
  auto made = message;
  for_each_column(tables, made.data(), message.data(), write);
  return made;
}

result<std::vector<std::byte>> from_columns(std::vector<std::byte> rearranged,
                                            std::span<const column_table> tables) {
  if (auto checked = check(rearranged, tables); !checked) return tl::unexpected(checked.error());
  auto message = rearranged;
  for_each_column(tables, rearranged.data(), message.data(), read);
  return message;
}

}  // namespace firstlight
