#include "apps/manual.hpp"

namespace firstlight {
namespace {

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string path_of(const CLI::App& app) {
  return app.get_parent() == nullptr
             ? ""
             : path_of(*app.get_parent()) + (app.get_parent()->get_parent() == nullptr ? "" : " ") +
                   app.get_name();
}

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* child : children(app)) words += child->get_name() + " ";
  for (const auto& option : long_options(app)) words += option + " ";
  if (!words.empty()) words.pop_back();
  return words;
}

void bash_cases(const CLI::App& app, std::string& out) {
  out += "    '" + path_of(app) + "') words='" + words_of(app) + "' ;;\n";
  for (const auto* child : children(app)) bash_cases(*child, out);
}

/// Walks the words before the cursor down the tree of commands, then offers what stands there, and files.
std::string bash_script(const CLI::App& root) {
  std::string paths;
  bash_cases(root, paths);
  return R"(# bash completion of firstlight; load it with: source <(firstlight completion bash)
_firstlight_words() {
  case $1 in
)" + paths +
         R"(    *) return 1 ;;
  esac
}
_firstlight() {
  local words path='' current=${COMP_WORDS[COMP_CWORD]} i
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ ${COMP_WORDS[i]} == -* ]] && continue
    _firstlight_words "${path:+$path }${COMP_WORDS[i]}" || break
    path=${path:+$path }${COMP_WORDS[i]}
  done
  _firstlight_words "$path"
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -o default -F _firstlight firstlight
)";
}

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char letter : text) out += letter == '\'' ? std::string("\\'") : std::string(1, letter);
  return out + "'";
}

void fish_lines(const CLI::App& app, std::string& out) {
  std::string all;
  for (const auto* child : children(app)) all += " " + child->get_name();
  std::string condition =
      app.get_parent() == nullptr ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + app.get_name();
  if (app.get_parent() != nullptr && app.get_parent()->get_parent() != nullptr) {
    condition = "__fish_seen_subcommand_from " + app.get_parent()->get_name() + "; and " + condition;
  }
  const bool group = app.get_parent() != nullptr && !all.empty();
  for (const auto* child : children(app)) {
    out += "complete -c firstlight -f -n " +
           fish_quoted(group ? condition + "; and not __fish_seen_subcommand_from" + all : condition) +
           " -a " + child->get_name() + " -d " + fish_quoted(child->get_description()) + "\n";
  }
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) {
      const auto* value = option->get_items_expected_max() > 0 ? " -r" : "";
      out += "complete -c firstlight -n " + fish_quoted(condition) + " -l " + name + value + " -d " +
             fish_quoted(option->get_description()) + "\n";
    }
  }
  for (const auto* child : children(app)) fish_lines(*child, out);
}

}  // namespace

result<std::string> completion_script(const CLI::App& root, const std::string& shell) {
  if (shell == "bash") return bash_script(root);
  if (shell == "zsh") {
    return "#compdef firstlight\n# zsh completion of firstlight; load it with: source <(firstlight "
           "completion zsh)\n"
           "autoload -U +X bashcompinit && bashcompinit\n" +
           bash_script(root);
  }
  if (shell == "fish") {
    std::string out = "# fish completion of firstlight; load it with: firstlight completion fish | source\n";
    fish_lines(root, out);
    return out;
  }
  return fail(errc::invalid_argument, "no completion for '" + shell + "'; there are bash, zsh and fish");
}

}  // namespace firstlight
