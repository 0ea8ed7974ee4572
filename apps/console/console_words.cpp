#include "apps/console/console_words.hpp"

#include <algorithm>
#include <array>

namespace firstlight {
namespace {

const CLI::App* find_child(const CLI::App& app, const std::string& name) {
  for (const auto* child : app.get_subcommands([](const CLI::App*) { return true; }))
    if (child->get_name() == name) return child;
  return nullptr;
}

/// The command that the words lead to.
const CLI::App& reached(const CLI::App& root, const std::vector<std::string>& words) {
  const auto* at = &root;
  for (const auto& word : words)
    if (const auto* child = find_child(*at, word)) at = child;
  return *at;
}

bool takes(const CLI::App& command, const char* argument) {
  return command.get_option_no_throw(argument) != nullptr;
}

}  // namespace

result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char letter = line[i];
    if (letter == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      inside = true;
    } else if (quote != 0) {
      if (letter == quote)
        quote = 0;
      else
        word += letter;
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
      inside = true;
    } else if (letter == ' ' || letter == '\t') {
      if (inside) words.push_back(std::exchange(word, {}));
      inside = false;
    } else {
      word += letter;
      inside = true;
    }
  }
  if (quote != 0) return fail(errc::invalid_argument, std::string("a quote ") + quote + " has no end");
  if (inside) words.push_back(word);
  return words;
}

bool takes_names(const CLI::App& root, const std::vector<std::string>& before) {
  const auto& command = reached(root, before);
  return std::ranges::any_of(std::array{"what", "image", "other", "mount"},
                             [&](const char* argument) { return takes(command, argument); });
}

std::vector<std::string> completions(const CLI::App& root, const std::vector<std::string>& before,
                                     const std::string& typed, const console_names& names) {
  const auto& command = reached(root, before);
  std::vector<std::string> all;
  if (before.empty()) all = {"exit", "help"};
  for (const auto* child : command.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(child->get_name());
  for (const auto* option : command.get_options())
    for (const auto& name : option->get_lnames()) all.push_back("--" + name);
  const bool any = takes(command, "what");
  if (any || takes(command, "image") || takes(command, "other"))
    all.insert(all.end(), names.images.begin(), names.images.end());
  if (any || takes(command, "mount")) all.insert(all.end(), names.mounts.begin(), names.mounts.end());
  std::erase_if(all, [&](const std::string& one) {
    return !one.starts_with(typed) || (typed.empty() && one.starts_with("--"));
  });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace firstlight
