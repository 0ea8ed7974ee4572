#include "model/columns.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

namespace firstlight {
namespace {

std::vector<std::byte> some_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 7);
  return bytes;
}

std::vector<std::byte> words(std::initializer_list<std::uint32_t> values) {
  std::vector<std::byte> bytes;
  for (auto value : values)
    for (int i = 0; i < 4; ++i, value >>= 8U) bytes.push_back(static_cast<std::byte>(value & 0xffU));
  return bytes;
}

}  // namespace

TEST_CASE("a table is written column by column, in the form of each") {
  const auto message = words({7, 1, 100, 2, 102, 3, 105, 9});  // a word, three rows of two columns, a word
  const std::vector<column_table> plain{{4, 3, {column_form::words, column_form::words}}};
  CHECK(to_columns(message, plain).value() == words({7, 1, 2, 3, 100, 102, 105, 9}));
  const std::vector<column_table> changes{{4, 3, {column_form::words, column_form::word_differences}}};
  CHECK(to_columns(message, changes).value() == words({7, 1, 2, 3, 100, 2, 3, 9}));
  const std::vector<column_table> bytes{{4, 3, {column_form::bytes, column_form::words}}};
  CHECK(to_columns(message, bytes).value() == words({7, 0x00030201, 0, 0, 100, 102, 105, 9}));
}

TEST_CASE("whatever is written in columns is read back as it was") {
  CHECK(rc::check([] {
    std::vector<column_table> tables;
    std::uint64_t end = 0;
    for (auto count = *rc::gen::inRange(0, 4); count > 0; --count) {
      column_table table;
      table.offset = end + *rc::gen::inRange<std::uint64_t>(0, 9);
      table.rows = *rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 40),
                                   rc::gen::element<std::uint32_t>(255, 256, 257, 512, 513));
      table.columns.resize(*rc::gen::inRange<std::size_t>(0, 6));
      for (auto& form : table.columns)
        form = static_cast<column_form>(*rc::gen::inRange(0, column_form_last + 1));
      end = table.offset + std::uint64_t{table.rows} * table.columns.size() * 4;
      tables.push_back(table);
    }
    const auto message = some_bytes(end + *rc::gen::inRange<std::size_t>(0, 20));
    const auto made = to_columns(message, tables);
    RC_ASSERT(made.has_value());
    RC_ASSERT(made->size() == message.size());
    RC_ASSERT(from_columns(*made, tables).value() == message);
  }));
}

TEST_CASE("tables that overlap or reach past the end are refused") {
  const auto message = some_bytes(100);
  const std::vector<column_form> two(2);
  for (const auto& tables :
       std::vector<std::vector<column_table>>{{{101, 0, two}},
                                              {{4, 13, two}},
                                              {{0, 4, two}, {24, 1, two}},
                                              {{~std::uint64_t{0} - 3, 1, two}},
                                              {{0, 0xffffffff, std::vector<column_form>(1000)}}}) {
    CHECK(to_columns(message, tables).error().code == errc::invalid_argument);
    CHECK(from_columns(message, tables).error().code == errc::invalid_argument);
  }
}

}  // namespace firstlight
