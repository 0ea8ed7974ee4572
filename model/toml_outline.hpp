#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

/// Where the statements of a TOML document stand, so that one of them can be edited and the rest stays as it
/// is, byte for byte. This finds; it does not judge: what is no TOML may have an outline. Pure.
namespace firstlight {

using toml_path = std::vector<std::string>;  ///< keys from the document's root, without quotes

struct toml_statement {
  enum class kind : std::uint8_t { table, array_of_tables, assignment };
  kind what = kind::assignment;
  toml_path path;
  std::size_t table_depth = 0;  ///< how many keys of `path` the header above gives; of a header: all
  std::size_t line = 0;         ///< its first, from 0
  std::size_t lines = 1;        ///< that it spans; no other statement shares them
  std::size_t value_begin = 0;  ///< of an assignment: the bytes [value_begin, value_end) of the document
  std::size_t value_end = 0;
};

/// The statements in their order. Errors: `invalid_argument` with the line, where no statement can be made
/// out.
[[nodiscard]] result<std::vector<toml_statement>> outline_toml(std::string_view text);

/// What a value says: a string without its quotes, everything else as written.
[[nodiscard]] std::string toml_value_text(std::string_view value);

/// A key or string as TOML has it: "a\"b".
[[nodiscard]] std::string toml_string(std::string_view text);
/// A path as a header or the left of an assignment has it; quotes where a bare key cannot be.
[[nodiscard]] std::string toml_dotted(const toml_path& path);

[[nodiscard]] bool starts_with(const toml_path& path, const toml_path& front);

}  // namespace firstlight
