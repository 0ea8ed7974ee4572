#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.hpp"

/// Edits of somebody else's file that can be taken back exactly: each stands between two marks, together with
/// the line that it replaces. Marks and kept lines are comments that start with '#'. Pure.
namespace firstlight {

struct line_edit {
  enum class how : std::uint8_t { before, instead };
  std::size_t line = 0;  ///< from 0; the number of lines: at the end
  how where = how::before;
  std::vector<std::string> lines;  ///< without their ends
};

/// The text with the edits made, each line of them as the text ends its own ("\n" or "\r\n"). Edits before
/// the same line share their marks, in the given order. At most one edit replaces a line. The text has no
/// marks.
[[nodiscard]] std::string mark_edits(std::string_view text, const std::vector<line_edit>& edits);

/// What the text was before `mark_edits`. Lines between other people's lines come back wherever they stand
/// now. Errors: `failed_precondition` when a mark has lost its other one, with the line.
[[nodiscard]] result<std::string> take_back_edits(std::string_view text);

[[nodiscard]] bool has_marked_edits(std::string_view text);

/// Lines with their ends; their concatenation is the text.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace firstlight
