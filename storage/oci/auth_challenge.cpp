#include "storage/oci/auth_challenge.hpp"

namespace firstlight {
namespace {

class scanner {
 public:
  explicit scanner(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool ended() const { return rest_.empty(); }
  [[nodiscard]] char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  void drop() { rest_.remove_prefix(1); }

  void skip(std::string_view characters) {
    while (!rest_.empty() && characters.find(rest_.front()) != std::string_view::npos) drop();
  }

  std::string word() {
    const auto length = std::min(rest_.size(), rest_.find_first_of(" \t,=\""));
    std::string text(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return text;
  }

  std::string value() {
    if (peek() != '"') return word();
    drop();
    std::string text;
    while (!ended() && peek() != '"') {
      if (peek() == '\\') drop();
      if (ended()) break;
      text.push_back(peek());
      drop();
    }
    if (!ended()) drop();
    return text;
  }

 private:
  std::string_view rest_;
};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

std::vector<auth_challenge> parse_auth_challenges(std::string_view header) {
  std::vector<auth_challenge> challenges;
  scanner scan(header);
  while (true) {
    scan.skip(" \t,");
    if (scan.ended()) return challenges;
    std::string name = lower(scan.word());
    scan.skip(" \t");
    if (scan.peek() != '=') {
      if (name.empty()) scan.drop();  // a stray quote
      if (!name.empty()) challenges.push_back({std::move(name), {}});
      continue;
    }
    scan.skip("= \t");
    std::string value = scan.value();
    if (!challenges.empty()) challenges.back().parameters[std::move(name)] = std::move(value);
  }
}

}  // namespace firstlight
