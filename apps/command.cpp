#include "apps/command.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "apps/exit_code.hpp"
#include "apps/standard_output.hpp"
#include "apps/table.hpp"
#include "apps/version.hpp"
#include "model/nearest.hpp"

namespace firstlight {
namespace {

int report(const error& failure) {
  std::fprintf(stderr, "firstlight: %s\n", printable(failure.detail).c_str());
  return static_cast<int>(to_exit_code(failure.code));
}

/// What a command printed and nobody got makes a failure of a success.
int end_with(const result<int>& code) {
  const auto written = finish_output();
  if (!code) return report(code.error());
  return written || *code != 0 ? *code : report(written.error());
}

const CLI::App& innermost(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : innermost(*chosen.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<const CLI::App*> children(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& known) {
  const auto near = nearest(typed, known);
  return near.empty() ? "" : "; did you mean '" + near + "'?";
}

std::vector<std::string> names_of(const CLI::App& app, bool options) {
  std::vector<std::string> names;
  if (!options) {
    for (const auto* child : children(app)) names.push_back(child->get_name());
    return names;
  }
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// The first command on the chosen path with a word that it does not know.
const CLI::App* puzzled(const CLI::App& app) {
  if (!app.remaining().empty()) return &app;
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? nullptr : puzzled(*chosen.front());
}

int usage_error(const CLI::App& root, const CLI::ParseError& problem) {
  const auto told = explain_usage(root, problem);
  std::fprintf(stderr, "firstlight: %s\n", told.c_str());
  return static_cast<int>(exit_code::usage);
}

}  // namespace

command_tree::command_tree()
    : root_(std::make_unique<CLI::App>("Starts containers before their images have arrived.", "firstlight")) {
  root_->require_subcommand(1);
  root_->set_version_flag("--version", version_line());
  root_->get_formatter()->column_width(34);
}

CLI::App* command_tree::group(const std::string& name, const std::string& summary) {
  auto* added = root_->add_subcommand(name, summary);
  added->require_subcommand(1);
  return added;
}

CLI::App* command_tree::add(CLI::App& parent, const texts& about, command_action action) {
  auto* added = parent.add_subcommand(about.name, about.summary);
  std::string footer = about.details.empty() ? "" : about.details + "\n\n";
  footer += "Examples:\n  ";
  for (const auto letter : about.examples)
    footer += letter == '\n' ? std::string("\n  ") : std::string(1, letter);
  added->footer(footer);
  added->final_callback([this, action = std::move(action)] { chosen_ = action; });
  return added;
}

int command_tree::run(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  if (program_starter_ != nullptr) words = protect_program(*program_starter_, std::move(words));
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  try {
    root_->parse(std::move(words));
  } catch (const CLI::ParseError& problem) {
    return problem.get_exit_code() == 0 ? end_with(root_->exit(problem)) : usage_error(*root_, problem);
  }
  return end_with(chosen_());
}

std::string explain_usage(const CLI::App& root, const CLI::ParseError& problem) {
  const auto* at = puzzled(root);
  std::string what = problem.what();
  if (const auto end = what.find('\n'); end != std::string::npos) what.resize(end);
  if (at != nullptr) {
    const auto typed = at->remaining().front();
    const auto word = typed.starts_with('-') ? typed.substr(0, typed.find('=')) : typed;
    const bool option = word.starts_with('-');
    const auto* kind = option ? "option" : children(*at).empty() ? "argument" : "command";
    what = "there is no " + std::string(kind) + " '" + word + "'" + did_you_mean(word, names_of(*at, option));
  }
  return what + "\nTry '" + full_name(at != nullptr ? *at : innermost(root)) + " --help'.";
}

std::vector<std::string> protect_program(const CLI::App& command, std::vector<std::string> words) {
  if (words.empty() || words.front() != command.get_name()) return words;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto& word = words[i];
    if (word == "--") return words;
    if (word.size() < 2 || word.front() != '-') {
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, "--");
      return words;
    }
    const auto* option = command.get_option_no_throw(word);
    if (option != nullptr && option->get_items_expected_max() > 0) ++i;  // its value
  }
  return words;
}

std::unique_ptr<command_tree> make_command_tree(const daemon_actions& actions, std::string_view word) {
  struct branch {
    std::string_view name;
    std::function<void(command_tree&)> add;
  };
  const std::vector<branch> branches{
      {"hub", [&](command_tree& tree) { add_hub_command(tree, actions); }},
      {"node", [&](command_tree& tree) { add_node_command(tree, actions); }},
      {"image", add_image_commands},
      {"pull", add_pull_command},
      {"mount", add_mount_command},
      {"umount", add_umount_command},
      {"commit", add_commit_command},
      {"ls", add_ls_command},
      {"wait", add_wait_command},
      {"run", add_run_command},
      {"status", add_status_command},
      {"version", add_version_command},
      {"bundle", add_bundle_commands},
      {"layer", add_layer_commands},
      {"trace", add_trace_commands},
      {"pki", [&](command_tree& tree) { add_pki_commands(tree, actions); }},
      {"config", add_config_commands},
      {"install", add_install_commands},
      {"waiters", add_waiters_command},
      {"receivers", add_receivers_command},
      {"sessions", add_sessions_command},
      {"top", add_top_command},
      {"events", add_events_command},
      {"evict", add_evict_command},
      {"drain", add_drain_command},
      {"reconnect", add_reconnect_command},
      {"log-level", add_log_level_command},
      {"console", [&](command_tree& tree) { add_console_command(tree, actions); }},
      {"completion", add_completion_command},
      {"man", add_man_command},
  };
  const bool one = std::ranges::any_of(branches, [&](const branch& of) { return of.name == word; });
  auto tree = std::make_unique<command_tree>();
  for (const auto& [name, add] : branches)
    if (!one || name == word) add(*tree);
  return tree;
}

int run_command_line(int argc, const char* const* argv, const daemon_actions& actions) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is a failed write, not a death
  try {
    return make_command_tree(actions, argc > 1 ? argv[1] : "")->run(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "firstlight: %s\n", problem.what());
    return static_cast<int>(exit_code::failed);
  }
}

}  // namespace firstlight
