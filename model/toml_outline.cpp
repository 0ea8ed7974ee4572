#include "model/toml_outline.hpp"

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

bool bare(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
}

/// A basic string's text; escapes of code points stay as they are.
std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\' || at + 1 == text.size()) {
      out += text[at];
      continue;
    }
    switch (const char next = text[++at]; next) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case '"':
      case '\\':
        out += next;
        break;
      default:
        out += {'\\', next};
    }
  }
  return out;
}

/// One pass over the document; `at` moves on, or `failed` is set and every later step is refused.
class reader {
 public:
  explicit reader(std::string_view text) : text_(text) {}

  result<std::vector<toml_statement>> statements() {
    toml_path table;
    std::vector<toml_statement> all;
    for (skip_empty(); at_ < text_.size() && !failed_; skip_empty()) {
      const auto first_line = line_;
      auto one = peek() == '[' ? header() : assignment(table);
      if (one.what != toml_statement::kind::assignment) table = one.path;
      end_of_line();
      one.line = first_line;
      all.push_back(std::move(one));
    }
    if (failed_) return fail(errc::invalid_argument, "line " + std::to_string(line_ + 1) + " is no TOML");
    return all;
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] bool sees(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void step(std::size_t letters = 1) {
    for (; letters > 0 && at_ < text_.size(); --letters)
      if (text_[at_++] == '\n') ++line_;
  }
  void expect(char letter) {
    if (peek() != letter) failed_ = true;
    step();
  }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') step();
  }
  void skip_comment() {
    while (at_ < text_.size() && peek() != '\n') step();
  }
  void skip_empty() {
    while (at_ < text_.size() &&
           (peek() == ' ' || peek() == '\t' || peek() == '\r' || peek() == '\n' || peek() == '#'))
      peek() == '#' ? skip_comment() : step();
  }
  void end_of_line() {
    skip_spaces();
    if (peek() == '#') skip_comment();
    if (peek() == '\r') step();
    if (at_ < text_.size() && peek() != '\n') failed_ = true;
  }

  std::string key() {
    if (peek() == '"' || peek() == '\'') {
      const auto begin = at_;
      skip_string();
      return toml_value_text(text_.substr(begin, at_ - begin));
    }
    const auto begin = at_;
    while (bare(peek())) step();
    if (at_ == begin) failed_ = true;
    return std::string(text_.substr(begin, at_ - begin));
  }

  toml_path dotted() {
    toml_path path;
    do {
      if (!path.empty()) step();
      skip_spaces();
      path.push_back(key());
      skip_spaces();
    } while (!failed_ && peek() == '.');
    return path;
  }

  toml_statement header() {
    toml_statement one{.what = toml_statement::kind::table};
    step();
    const bool array = peek() == '[';
    if (array) {
      step();
      one.what = toml_statement::kind::array_of_tables;
    }
    one.path = dotted();
    expect(']');
    if (array) expect(']');
    one.table_depth = one.path.size();
    return one;
  }

  toml_statement assignment(const toml_path& table) {
    toml_statement one{.path = table, .table_depth = table.size()};
    const auto first_line = line_;
    for (auto& part : dotted()) one.path.push_back(std::move(part));
    expect('=');
    skip_spaces();
    one.value_begin = at_;
    skip_value();
    one.value_end = at_;
    one.lines = line_ - first_line + 1;
    return one;
  }

  /// Strings of all four kinds.
  void skip_string() {
    const std::string quote(sees("\"\"\"") || sees("'''") ? 3 : 1, peek());
    const bool escapes = peek() == '"';
    step(quote.size());
    while (at_ < text_.size() && !sees(quote)) {
      if (quote.size() == 1 && peek() == '\n') break;
      step(escapes && peek() == '\\' ? 2 : 1);
    }
    if (!sees(quote)) failed_ = true;
    step(quote.size());
    // Up to two quotes may stand before the three that end it.
    while (quote.size() == 3 && peek() == quote.front()) step();
  }

  /// A scalar, or what stands between brackets of either kind, strings and comments inside it heeded.
  void skip_value() {
    std::size_t depth = 0;
    const auto begin = at_;
    do {
      const char letter = peek();
      if (letter == '"' || letter == '\'') {
        skip_string();
      } else if (letter == '[' || letter == '{') {
        ++depth;
        step();
      } else if (letter == ']' || letter == '}') {
        if (depth == 0) break;
        --depth;
        step();
      } else if (depth > 0 && letter == '#') {
        skip_comment();
      } else if (depth == 0) {
        while (at_ < text_.size() && peek() != '\n' && peek() != '\r' && peek() != '#') step();
        while (at_ > begin && (text_[at_ - 1] == ' ' || text_[at_ - 1] == '\t')) --at_;
      } else {
        step();
      }
    } while (depth > 0 && at_ < text_.size());
    if (depth > 0 || at_ == begin) failed_ = true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  bool failed_ = false;
};

}  // namespace

result<std::vector<toml_statement>> outline_toml(std::string_view text) {
  return reader(text).statements();
}

std::string toml_value_text(std::string_view value) {
  for (const std::string_view quote : {"\"\"\"", "'''", "\"", "'"}) {
    if (value.size() < 2 * quote.size() || !value.starts_with(quote) || !value.ends_with(quote)) continue;
    const auto inner = value.substr(quote.size(), value.size() - 2 * quote.size());
    return quote.front() == '"' ? unescaped(inner) : std::string(inner);
  }
  return std::string(value);
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out += {'\\', letter};
    } else if (code < 0x20 || code == 0x7f) {
      constexpr std::string_view digits = "0123456789ABCDEF";
      out += {'\\', 'u', '0', '0', digits[code >> 4U], digits[code & 15U]};
    } else {
      out += letter;
    }
  }
  return out + '"';
}

std::string toml_dotted(const toml_path& path) {
  std::string out;
  for (const auto& part : path) {
    if (!out.empty()) out += '.';
    out += !part.empty() && std::ranges::all_of(part, bare) ? part : toml_string(part);
  }
  return out;
}

bool starts_with(const toml_path& path, const toml_path& front) {
  return path.size() >= front.size() && std::equal(front.begin(), front.end(), path.begin());
}

}  // namespace firstlight
