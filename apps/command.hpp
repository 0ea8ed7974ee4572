#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/daemon_actions.hpp"
#include "model/result.hpp"

namespace firstlight {

/// What a command does once its line is parsed. @returns the exit code. An error is printed as one line
/// and gives the exit code of its kind.
using command_action = std::function<result<int>()>;

/// The tree of commands: help, man pages and shell completion are all made from it.
/// One thread; outlives what `add` returned.
class command_tree {
 public:
  command_tree();

  [[nodiscard]] CLI::App& root() { return *root_; }
  [[nodiscard]] const CLI::App& root() const { return *root_; }

  struct texts {
    std::string name;
    std::string summary;   ///< one sentence
    std::string examples;  ///< one a line, as typed
    std::string details;   ///< further text for --help and the manual; may be empty
  };
  /// A group of commands below the root, such as `image`.
  CLI::App* group(const std::string& name, const std::string& summary);
  /// A command below `parent`, run when it is named on the command line.
  CLI::App* add(CLI::App& parent, const texts& about, command_action action);

  /// From now on everything after the first word of this command belongs to the program that it starts.
  void end_options_at_first_word(CLI::App& command) { program_starter_ = &command; }

  /// Parses and runs. @returns the exit code; help, errors and usage have been printed.
  [[nodiscard]] int run(int argc, const char* const* argv);

 private:
  std::unique_ptr<CLI::App> root_;
  command_action chosen_;
  CLI::App* program_starter_ = nullptr;
};

/// The words of a command line with "--" put behind the first word after `command`'s name that is neither an
/// option of it nor an option's value. Words of other commands come back as they are. Pure.
[[nodiscard]] std::vector<std::string> protect_program(const CLI::App& command,
                                                       std::vector<std::string> words);

/// Two lines for a command line that does not parse: what is wrong, with the word that was probably meant,
/// and whose help to read. `root` has just failed with `problem`.
[[nodiscard]] std::string explain_usage(const CLI::App& root, const CLI::ParseError& problem);

/// Options that many commands share; each command has its own instance.
struct output_options {
  bool json = false;
  bool quiet = false;
};

/// The command line of the whole program; or, when `word` names a command or group of it, only that one: most
/// of the time of a command before it asks its daemon would go into options of others.
[[nodiscard]] std::unique_ptr<command_tree> make_command_tree(const daemon_actions& actions,
                                                              std::string_view word = {});

/// All of `main`: runs the command line and reports what goes wrong. @returns the exit code
[[nodiscard]] int run_command_line(int argc, const char* const* argv, const daemon_actions& actions);

// Each adds one command or group to the root of the tree.
void add_hub_command(command_tree& tree, const daemon_actions& actions);
void add_node_command(command_tree& tree, const daemon_actions& actions);
void add_image_commands(command_tree& tree);
void add_pull_command(command_tree& tree);
void add_mount_command(command_tree& tree);
void add_umount_command(command_tree& tree);
void add_commit_command(command_tree& tree);
void add_ls_command(command_tree& tree);
void add_wait_command(command_tree& tree);
void add_run_command(command_tree& tree);
void add_record_command(command_tree& tree, CLI::App& group);  ///< `trace record`
void add_status_command(command_tree& tree);
void add_waiters_command(command_tree& tree);
void add_receivers_command(command_tree& tree);
void add_sessions_command(command_tree& tree);
void add_version_command(command_tree& tree);
void add_bundle_commands(command_tree& tree);
void add_layer_commands(command_tree& tree);
void add_trace_commands(command_tree& tree);
void add_trace_file_commands(command_tree& tree, CLI::App& group);  ///< `trace import`, `trace export`
void add_pki_commands(command_tree& tree, const daemon_actions& actions);
void add_config_commands(command_tree& tree);
void add_install_commands(command_tree& tree);
void add_top_command(command_tree& tree);
void add_events_command(command_tree& tree);
void add_evict_command(command_tree& tree);
void add_drain_command(command_tree& tree);
void add_reconnect_command(command_tree& tree);
void add_log_level_command(command_tree& tree);
void add_console_command(command_tree& tree, const daemon_actions& actions);
void add_completion_command(command_tree& tree);
void add_man_command(command_tree& tree);

}  // namespace firstlight
