#include "model/snapshot_filter.hpp"

#include <algorithm>
#include <charconv>

namespace firstlight {
namespace {

bool is_field(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/// In UTF-8. False: there is no such character.
bool add_character(std::uint32_t code, std::string& out) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

std::string_view kind_text(snapshot_kind kind) {
  switch (kind) {
    case snapshot_kind::view:
      return "view";
    case snapshot_kind::active:
      return "active";
    case snapshot_kind::committed:
      return "committed";
  }
  return {};
}

/// A label whose key has dots may be given in parts.
std::string joined(const std::vector<std::string>& path) {
  std::string key;
  for (std::size_t i = 1; i < path.size(); ++i) key += (i == 1 ? "" : ".") + path[i];
  return key;
}

std::optional<std::string> field(const snapshot_record& snapshot, const std::vector<std::string>& path) {
  const auto& name = path.front();
  if (name == "labels") {
    const auto label = snapshot.labels.find(joined(path));
    return label == snapshot.labels.end() ? std::nullopt : std::optional(label->second);
  }
  if (name == "name") return snapshot.name;
  if (name == "parent") return snapshot.parent;
  if (name == "kind") return std::string(kind_text(snapshot.kind));
  return std::nullopt;
}

}  // namespace

class filter_parser {
 public:
  filter_parser(std::string_view text, const snapshot_filter::pattern_compiler& compile)
      : text_(text), compile_(compile) {}

  result<std::vector<snapshot_filter::selector>> selectors() {
    std::vector<snapshot_filter::selector> all;
    do {
      auto one = selector();
      if (!one) return tl::unexpected(one.error());
      all.push_back(std::move(*one));
    } while (take(","));
    if (at_ < text_.size()) return expected("a comma or the end");
    return all;
  }

 private:
  using comparison = snapshot_filter::comparison;

  result<snapshot_filter::selector> selector() {
    snapshot_filter::selector made;
    do {
      auto part = path_part();
      if (!part) return tl::unexpected(part.error());
      made.path.push_back(std::move(*part));
    } while (take("."));
    if (at_ == text_.size() || text_[at_] == ',') return made;
    skip_space();
    if (take("=="))
      made.how = comparison::equal;
    else if (take("!="))
      made.how = comparison::different;
    else if (take("~="))
      made.how = comparison::pattern;
    else
      return expected("one of == != ~=");
    auto value = this->value(made.how);
    if (!value) return tl::unexpected(value.error());
    made.value = std::move(*value);
    return made.how == comparison::pattern ? compiled(std::move(made)) : made;
  }

  [[nodiscard]] result<snapshot_filter::selector> compiled(snapshot_filter::selector made) const {
    auto pattern = compile_(made.value);
    if (!pattern) return fail(pattern.error(), "filter " + std::string(text_));
    made.pattern = std::move(*pattern);
    return made;
  }

  result<std::string> path_part() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    const auto start = at_;
    while (at_ < text_.size() && is_field(text_[at_])) ++at_;
    if (at_ == start) return expected("a field's name or \"...\"");
    return std::string(text_.substr(start, at_ - start));
  }

  /// As containerd does it: before names, operators and values, not before what separates them.
  void skip_space() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }

  result<std::string> value(comparison how) {
    skip_space();
    if (at_ == text_.size()) return expected("a value");
    const char first = text_[at_];
    if (first == '"') return quoted();
    if (how == comparison::pattern && (first == '/' || first == '|')) return delimited(first);
    const auto start = at_;
    while (at_ < text_.size() && text_[at_] != ',' && !is_space(text_[at_])) ++at_;
    if (at_ == start) return expected("a value");
    return std::string(text_.substr(start, at_ - start));
  }

  /// As it is but for the delimiter, which a backslash escapes.
  result<std::string> delimited(char by) {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == by) {
        ++at_;
        return out;
      }
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == by) ++at_;
      out += text_[at_];
    }
    return expected(std::string("a closing ") + by);
  }

  result<std::string> quoted() {
    std::string out;
    for (++at_; at_ < text_.size();) {
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (auto added = escape(out); !added) return tl::unexpected(added.error());
    }
    return expected("a closing \"");
  }

  result<void> escape(std::string& out) {
    constexpr std::string_view names = "abfnrtv\\\"";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"";
    if (at_ == text_.size()) return expected("an escaped character");
    const char c = text_[at_++];
    if (const auto known = names.find(c); known != std::string_view::npos) {
      out += meanings[known];
      return {};
    }
    if (c == 'x' || (c >= '0' && c <= '7')) {
      if (c != 'x') --at_;
      const auto byte = c == 'x' ? number(2, 16) : number(3, 8);
      if (!byte || *byte > 0xff) return bad_escape();
      out += static_cast<char>(*byte);
      return {};
    }
    const auto code = c == 'u' ? number(4, 16) : c == 'U' ? number(8, 16) : std::nullopt;
    return code && add_character(*code, out) ? result<void>{} : bad_escape();
  }

  /// Exactly that many digits. None: they are not there.
  std::optional<std::uint32_t> number(std::size_t digits, int base) {
    const auto text = text_.substr(at_, digits);
    const auto* end = text.data() + text.size();
    std::uint32_t read = 0;
    if (text.size() != digits || std::from_chars(text.data(), end, read, base).ptr != end)
      return std::nullopt;
    at_ += digits;
    return read;
  }

  [[nodiscard]] tl::unexpected<error> bad_escape() const {
    return expected(
        "one of the escapes \\a \\b \\f \\n \\r \\t \\v \\\\ \\\" \\OOO \\xHH \\uHHHH \\UHHHHHHHH");
  }

  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }

  [[nodiscard]] tl::unexpected<error> expected(const std::string& what) const {
    return fail(errc::invalid_argument, "filter " + std::string(text_) + ": expected " + what + " at byte " +
                                            std::to_string(at_ + 1));
  }

  std::string_view text_;
  const snapshot_filter::pattern_compiler& compile_;
  std::size_t at_ = 0;
};

result<snapshot_filter> snapshot_filter::parse(const std::vector<std::string>& filters,
                                               const pattern_compiler& compile) {
  snapshot_filter made;
  for (const auto& text : filters) {
    if (text.empty()) return snapshot_filter{};  // any of them matches, and this one always does
    auto selectors = filter_parser(text, compile).selectors();
    if (!selectors) return tl::unexpected(selectors.error());
    made.any_.push_back(std::move(*selectors));
  }
  return made;
}

bool snapshot_filter::matches(const selector& wanted, const snapshot_record& snapshot) {
  const auto value = field(snapshot, wanted.path);
  switch (wanted.how) {
    case comparison::present:
      return value.has_value();
    case comparison::equal:
      return value == wanted.value;
    case comparison::different:
      return value.value_or(std::string{}) != wanted.value;
    case comparison::pattern:
      return wanted.pattern(value.value_or(std::string{}));
  }
  return false;
}

bool snapshot_filter::matches(const snapshot_record& snapshot) const {
  if (any_.empty()) return true;
  return std::any_of(any_.begin(), any_.end(), [&](const std::vector<selector>& all) {
    return std::all_of(all.begin(), all.end(), [&](const selector& one) { return matches(one, snapshot); });
  });
}

}  // namespace firstlight
