#include "model/shebang.hpp"

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

constexpr std::string_view blanks = " \t";

/// Words after which another command follows.
constexpr std::array<std::string_view, 11> leading_words{"if", "then", "else", "elif", "while",  "until",
                                                         "do", "!",    "exec", "time", "command"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./+=").find(c) != std::string_view::npos;
}

bool begins_command(char c) {
  return std::string_view("\n;|&(`{").find(c) != std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

}  // namespace

std::optional<shebang> parse_shebang(std::string_view head) {
  if (!head.starts_with("#!")) return std::nullopt;
  head = head.substr(0, shebang_bytes_max);
  const auto line = trim(head.substr(2, head.substr(2).find_first_of(std::string_view("\n\0", 2))));
  if (line.empty()) return std::nullopt;
  const auto end = line.find_first_of(blanks);
  if (end == std::string_view::npos) return shebang{std::string(line), {}};
  return shebang{std::string(line.substr(0, end)), std::string(trim(line.substr(end)))};
}

std::optional<std::string> shebang::env_program() const {
  if (interpreter != "env" && !interpreter.ends_with("/env")) return std::nullopt;
  std::string_view rest = argument;
  while (!rest.empty()) {
    const auto word = rest.substr(0, rest.find_first_of(blanks));
    const bool setting = word.starts_with('-') || word.find('=') != std::string_view::npos;
    if (!setting) return std::string(word);
    rest = trim(rest.substr(word.size()));
  }
  return std::nullopt;
}

std::vector<std::string> shell_commands(std::string_view script, std::size_t words_max) {
  std::vector<std::string> commands;
  bool expected = true;
  while (!script.empty() && commands.size() < words_max) {
    if (script.front() == '#') script.remove_prefix(std::min(script.size(), script.find('\n')));
    const auto end = std::find_if_not(script.begin(), script.end(), is_word);
    const auto word = script.substr(0, static_cast<std::size_t>(end - script.begin()));
    if (word.empty()) {
      if (script.empty()) break;
      const bool blank = blanks.find(script.front()) != std::string_view::npos;
      expected = begins_command(script.front()) || (expected && blank);
      script.remove_prefix(1);
      continue;
    }
    script.remove_prefix(word.size());
    const bool leads = std::find(leading_words.begin(), leading_words.end(), word) != leading_words.end();
    const bool setting = word.find('=') != std::string_view::npos;
    if (!expected || leads || setting) continue;
    expected = false;
    if (std::find(commands.begin(), commands.end(), word) == commands.end()) commands.emplace_back(word);
  }
  return commands;
}

}  // namespace firstlight
