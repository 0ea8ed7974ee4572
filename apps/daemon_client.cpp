#include "apps/daemon_client.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>

#include "apps/admin_client.hpp"
#include "apps/interruption.hpp"
#include "apps/progress_display.hpp"
#include "config/hub_options.hpp"
#include "config/node_options.hpp"

namespace firstlight {
namespace {

const char* name_of(daemon_kind kind) {
  return kind == daemon_kind::hub ? "hub" : "node";
}

std::string absent_hint(daemon_kind kind, const std::filesystem::path& socket) {
  const std::string name = name_of(kind);
  return "no " + name + " answers at " + socket.string() + "; start it with 'systemctl start firstlight-" +
         name + "' or 'firstlight " + name + "', or name its socket with --socket";
}

/// Whether ^C is this process' own: nobody else waits for it, nor does whoever has started the process ignore
/// it.
bool minds_interrupts() {
  sigset_t blocked{};
  struct sigaction now {};
  return sigprocmask(SIG_BLOCK, nullptr, &blocked) == 0 && sigismember(&blocked, SIGINT) == 0 &&
         sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler != SIG_IGN;
}

}  // namespace

std::filesystem::path daemon_socket(daemon_kind kind, const std::string& wish) {
  if (!wish.empty()) return wish;
  const char* set =
      std::getenv(kind == daemon_kind::hub ? "FIRSTLIGHT_HUB_SOCKET" : "FIRSTLIGHT_NODE_SOCKET");
  if (set != nullptr && *set != '\0') return set;
  return kind == daemon_kind::hub ? hub_options{}.socket : node_options{}.socket;
}

void add_daemon_options(CLI::App& command, daemon_options& options, daemon_kind kind) {
  const auto variable =
      std::string(kind == daemon_kind::hub ? "$FIRSTLIGHT_HUB_SOCKET" : "$FIRSTLIGHT_NODE_SOCKET");
  command
      .add_option("--socket", options.socket,
                  std::string("socket of the ") + name_of(kind) + " (default: " + variable + ", else " +
                      daemon_socket(kind, "").string() + ")")
      ->type_name("FILE");
  command.add_flag("--json", options.output.json, "print the answer as one line of JSON");
  command.add_flag("-q,--quiet", options.output.quiet, "print nothing but errors");
}

void add_mode_option(CLI::App& command, std::string& mode) {
  command.add_option("--mount-mode", mode, "auto, hybrid, overlay or fuse (default: the node's mount_mode)")
      ->type_name("MODE")
      ->check(CLI::IsMember({"auto", "hybrid", "overlay", "fuse"}));
}

result<admin_reply> ask(daemon_kind kind, const daemon_options& options, const admin_request& request,
                        int interrupt) {
  const auto socket = daemon_socket(kind, options.socket);
  auto client = admin_client::connect(socket, absent_hint(kind, socket));
  if (!client) return tl::unexpected(client.error());
  // A signal that ends the wait takes its usual effect afterwards, once the progress is wiped away.
  std::optional<interruption> own;
  if (interrupt < 0 && minds_interrupts()) interrupt = own.emplace().descriptor();
  using visibility = progress_display::visibility;
  const bool hidden = options.output.quiet || options.output.json;
  progress_display display(hidden ? visibility::hidden : visibility::automatic);
  const auto show_progress = [&](bytes_view bytes) {
    if (const auto progress = decode_admin_progress(bytes)) display.update(*progress);
  };
  const auto reply = client->call(encode(request).bytes, show_progress, interrupt);
  if (!reply) return tl::unexpected(reply.error());
  return decode_admin_reply(reply->bytes);
}

}  // namespace firstlight
