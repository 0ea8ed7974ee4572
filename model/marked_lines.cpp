#include "model/marked_lines.hpp"

#include <algorithm>

namespace firstlight {
namespace {

constexpr std::string_view first_mark = "# >>> firstlight install";
constexpr std::string_view last_mark = "# <<< firstlight install";
constexpr std::string_view kept_mark = "# before: ";

std::string_view without_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view trimmed(std::string_view line) {
  line = without_end(line);
  const auto begin = line.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
}

std::string indentation(std::string_view line) {
  return std::string(line.substr(0, std::min(line.find_first_not_of(" \t"), line.size())));
}

/// Everything between the marks and the marks, but for the end of the last line.
std::string block(const std::vector<std::string>& lines, std::string_view kept, std::string_view end) {
  const auto indent = lines.empty() ? std::string() : indentation(lines.front());
  std::string out = indent + std::string(first_mark) + std::string(end);
  if (!kept.empty())
    out += indent + std::string(kept_mark) + std::string(without_end(kept)) + std::string(end);
  for (const auto& line : lines) out += line + std::string(end);
  return out + indent + std::string(last_mark);
}

std::vector<std::string> joined_before(const std::vector<line_edit>& edits, std::size_t line) {
  std::vector<std::string> all;
  for (const auto& edit : edits)
    if (edit.line == line && edit.where == line_edit::how::before)
      all.insert(all.end(), edit.lines.begin(), edit.lines.end());
  return all;
}

const line_edit* replacement(const std::vector<line_edit>& edits, std::size_t line) {
  const auto found = std::ranges::find_if(edits, [&](const line_edit& edit) {
    return edit.line == line && edit.where == line_edit::how::instead;
  });
  return found == edits.end() ? nullptr : &*found;
}

error lost(std::size_t line, std::string_view other) {
  return {errc::failed_precondition, "line " + std::to_string(line + 1) + ": its other mark '" +
                                         std::string(other) + "' is missing; take the lines out by hand"};
}

}  // namespace

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::string mark_edits(std::string_view text, const std::vector<line_edit>& edits) {
  const std::string_view end = text.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  const auto lines = lines_of(text);
  std::string out;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (const auto before = joined_before(edits, at); !before.empty())
      out += block(before, {}, end) + std::string(end);
    if (const auto* instead = replacement(edits, at); instead != nullptr)
      out += block(instead->lines, lines[at], end) +
             std::string(lines[at].substr(without_end(lines[at]).size()));
    else
      out += lines[at];
  }
  const auto last = joined_before(edits, lines.size());
  if (last.empty()) return out;
  const bool open = !text.empty() && !text.ends_with('\n');  // then the block ends as the text did
  return out + (open ? std::string(end) : "") + block(last, {}, end) + (open ? "" : std::string(end));
}

result<std::string> take_back_edits(std::string_view text) {
  const auto lines = lines_of(text);
  std::string out;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (trimmed(lines[at]) == last_mark) return tl::unexpected(lost(at, first_mark));
    if (trimmed(lines[at]) != first_mark) {
      out += lines[at];
      continue;
    }
    const auto begin = at;
    bool replaced = false;
    std::string_view kept;
    for (++at; at < lines.size() && trimmed(lines[at]) != last_mark; ++at) {
      if (trimmed(lines[at]) == first_mark) return tl::unexpected(lost(begin, last_mark));
      if (replaced || !trimmed(lines[at]).starts_with(kept_mark)) continue;
      replaced = true;
      kept = without_end(lines[at]);
      kept.remove_prefix(kept.find(kept_mark) + kept_mark.size());
    }
    if (at == lines.size()) return tl::unexpected(lost(begin, last_mark));
    const auto end = lines[at].substr(without_end(lines[at]).size());
    if (replaced) {
      out += std::string(kept) + std::string(end);
    } else if (end.empty()) {
      out.resize(without_end(out).size());
    }
  }
  return out;
}

bool has_marked_edits(std::string_view text) {
  return std::ranges::any_of(lines_of(text),
                             [](std::string_view line) { return trimmed(line) == first_mark; });
}

}  // namespace firstlight
