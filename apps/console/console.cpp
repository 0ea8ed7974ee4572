#include "apps/console/console.hpp"

#include <editline/readline.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>

#include "actors/net/admin_tunnel.hpp"
#include "actors/net/kj_loop.hpp"
#include "apps/console/console_history.hpp"
#include "apps/console/console_words.hpp"
#include "apps/console/line_editor.hpp"
#include "apps/console/socket_folder.hpp"
#include "apps/daemon_client.hpp"
#include "apps/exit_code.hpp"

namespace firstlight {
namespace {

/// What completion needs: libedit calls back without anything of ours.
struct console_state {
  std::unique_ptr<command_tree> tree;
  std::vector<std::string> candidates;
  std::size_t next = 0;
};
console_state& state() {
  static console_state the_console;
  return the_console;
}

/// The commands that make sense in a console: no daemons, no console.
std::unique_ptr<command_tree> make_tree(std::string_view word = {}) {
  const auto refuse = [](const auto&) -> result<int> {
    return fail(errc::unsupported, "this is not for the console; run it from a shell");
  };
  return make_command_tree({refuse, refuse, refuse, refuse, refuse}, word);
}

template <class Reply>
std::optional<Reply> ask_quietly(daemon_kind kind, const admin_request& request) {
  daemon_options quiet;
  quiet.output.quiet = true;
  auto reply = ask_for<Reply>(kind, quiet, request, line_editor::interrupt());
  return reply ? std::optional<Reply>(std::move(*reply)) : std::nullopt;
}

/// Whatever daemon is there is asked.
console_names names_now() {
  console_names names;
  if (const auto list = ask_quietly<admin_listing>(daemon_kind::node, admin_list_request{})) {
    for (const auto& image : list->images) names.images.push_back(image.reference);
    for (const auto& mount : list->mounts) names.mounts.push_back(mount.name);
  }
  if (const auto list = ask_quietly<admin_image_list>(daemon_kind::hub, admin_image_list_request{}))
    for (const auto& image : list->images) names.images.push_back(image.reference);
  return names;
}

char* next_candidate(const char*, int first) {
  auto& my = state();
  if (first == 0) my.next = 0;
  return my.next < my.candidates.size() ? strdup(my.candidates[my.next++].c_str()) : nullptr;
}

char** complete(const char* typed, int start, int) {
  auto& my = state();
  const auto before = split_words(std::string_view(rl_line_buffer, static_cast<std::size_t>(start)));
  my.candidates.clear();
  if (before) {
    const auto names = takes_names(my.tree->root(), *before) ? names_now() : console_names();
    my.candidates = completions(my.tree->root(), *before, typed, names);
  }
  rl_attempted_completion_over = 1;  // no file names
  return rl_completion_matches(typed, next_candidate);
}

/// These mount an image and start its program on this machine.
bool starts_program(const std::vector<std::string>& words) {
  return words.front() == "run" || (words.size() > 1 && words[0] == "trace" && words[1] == "record");
}

int run_words(const std::vector<std::string>& words) {
  std::vector<const char*> arguments{"firstlight"};
  for (const auto& word : words) arguments.push_back(word.c_str());
  return make_tree(words.front())->run(static_cast<int>(arguments.size()), arguments.data());
}

int run_line(const console_arguments& in, const std::vector<std::string>& words) {
  if (!in.node.empty() && starts_program(words)) {
    std::fputs("firstlight: that starts a program here, but the node is on another machine; call it there\n",
               stderr);
    return static_cast<int>(exit_code::failed);
  }
  return run_words(words);
}

/// While it lives ^C ends what a command waits for, and not the console. Programs that are started get
/// theirs.
class kept_console {
 public:
  kept_console() {
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    nothing.sa_flags = SA_RESTART;  // else output would be lost
    sigemptyset(&nothing.sa_mask);
    sigaction(SIGINT, &nothing, &before_);
  }
  ~kept_console() { sigaction(SIGINT, &before_, nullptr); }
  kept_console(const kept_console&) = delete;
  kept_console& operator=(const kept_console&) = delete;

 private:
  struct sigaction before_ {};
};

/// Of all commands, or of those that follow.
void help(std::vector<std::string> words) {
  if (words.size() == 1) {
    std::fputs(state().tree->root().help().c_str(), stdout);
    return;
  }
  words.erase(words.begin());
  words.emplace_back("--help");
  run_words(words);
}

std::filesystem::path history_file(const console_arguments& in) {
  if (!in.history.empty()) return in.history;
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::filesystem::path() : std::filesystem::path(home) / ".firstlight_history";
}

/// Reads lines until the end or "exit".
void read_lines(const console_arguments& in, const line_editor& editor, const console_history& history) {
  while (const auto line = editor.read("firstlight> ")) {
    const auto words = split_words(*line);
    if (!words) {
      std::fprintf(stderr, "firstlight: %s\n", words.error().detail.c_str());
      editor.remember(*line);  // to be corrected
      continue;
    }
    if (words->empty()) continue;
    editor.remember(*line);
    history.add(*line);
    if (words->front() == "exit" || words->front() == "quit") return;
    const kept_console while_it_runs;
    if (words->front() == "help")
      help(*words);
    else
      run_line(in, *words);
    std::fflush(stdout);
  }
  if (isatty(STDIN_FILENO) == 1) std::puts("");
}

int run_here(const console_arguments& in) {
  if (!in.words.empty()) return run_line(in, in.words);
  state().tree = make_tree();
  const bool terminal = isatty(STDIN_FILENO) == 1;
  const console_history history(terminal ? history_file(in) : std::filesystem::path());
  const line_editor editor(history.lines(), static_cast<int>(console_history::lines_max));
  rl_attempted_completion_function = complete;
  rl_basic_word_break_characters = const_cast<char*>(" \t\n\"'");
  if (terminal)
    std::puts(
        "Commands as on the command line; Tab completes, 'help' lists, 'help COMMAND' tells, 'exit' ends.");
  read_lines(in, editor, history);
  state().tree.reset();
  return 0;
}

}  // namespace

result<int> run_console(const console_arguments& in) {
  if (in.hub.empty() && in.node.empty()) return run_here(in);
  const socket_folder folder;
  if (folder.path().empty())
    return fail(errc::io, "no folder for the console's socket can be made in $TMPDIR; is it writable?");
  kj_loop loop;
  std::vector<std::unique_ptr<admin_tunnel>> tunnels;
  for (const auto far_side : {pki_role::hub, pki_role::node}) {
    const auto& address = far_side == pki_role::hub ? in.hub : in.node;
    if (address.empty()) continue;
    const auto socket = far_side == pki_role::hub ? folder.hub_socket() : folder.node_socket();
    auto tunnel = admin_tunnel::open(
        loop,
        {.address = address, .far_side = far_side, .tls = {in.ca, in.certificate, in.key}, .socket = socket});
    if (!tunnel) return tl::unexpected(tunnel.error());
    tunnels.push_back(std::move(*tunnel));
    const auto* variable = far_side == pki_role::hub ? "FIRSTLIGHT_HUB_SOCKET" : "FIRSTLIGHT_NODE_SOCKET";
    setenv(variable, socket.c_str(), 1);
  }
  auto done = run_here(in);
  tunnels.clear();
  loop.stop();
  return done;
}

}  // namespace firstlight
