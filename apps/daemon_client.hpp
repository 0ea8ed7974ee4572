#pragma once
#include <filesystem>
#include <string>

#include "apps/command.hpp"
#include "schemas/admin.hpp"

/// How commands talk to the daemons of this machine.
namespace firstlight {

enum class daemon_kind { hub, node };

/// The socket of a daemon: what the user said, else $FIRSTLIGHT_HUB_SOCKET or $FIRSTLIGHT_NODE_SOCKET, else
/// that of the installed service.
[[nodiscard]] std::filesystem::path daemon_socket(daemon_kind kind, const std::string& wish);

/// What a command that asks a daemon offers: --socket, --json, --quiet.
struct daemon_options {
  std::string socket;
  output_options output;
};
void add_daemon_options(CLI::App& command, daemon_options& options, daemon_kind kind);

/// --mount-mode, of commands that mount.
void add_mode_option(CLI::App& command, std::string& mode);

/// Sends one request and waits for its reply, with progress on a terminal. On the main thread.
/// Errors: those of the daemon; `unavailable` saying how to start it; `cancelled` for a signal that does not
/// end this process.
/// `interrupt` as in admin_client::call; without one a signal ends the wait, unless the caller has blocked
/// it.
[[nodiscard]] result<admin_reply> ask(daemon_kind kind, const daemon_options& options,
                                      const admin_request& request, int interrupt = -1);

/// The same for a reply of a known type. Errors: also `protocol` when the daemon answers with something else.
template <class Reply>
[[nodiscard]] result<Reply> ask_for(daemon_kind kind, const daemon_options& options,
                                    const admin_request& request, int interrupt = -1) {
  auto reply = ask(kind, options, request, interrupt);
  if (!reply) return tl::unexpected(reply.error());
  if (auto* expected = std::get_if<Reply>(&*reply)) return std::move(*expected);
  return fail(errc::protocol, "the daemon answers something else than asked; restart it after an upgrade");
}

/// Prints the reply: as JSON if asked for, else by `print`. @returns 0
template <class Reply, class Print>
[[nodiscard]] result<int> show(const result<Reply>& reply, const output_options& output, Print print) {
  if (!reply) return tl::unexpected(reply.error());
  if (output.json) {
    std::printf("%s\n", to_json(admin_reply(*reply)).c_str());
  } else if (!output.quiet) {
    print(*reply);
  }
  return 0;
}

}  // namespace firstlight
