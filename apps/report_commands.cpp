#include <filesystem>

#include "apps/daemon_client.hpp"
#include "apps/status_text.hpp"
#include "apps/table.hpp"
#include "apps/version.hpp"
#include "schemas/protocol_version.hpp"

namespace firstlight {
namespace {

struct status_arguments {
  daemon_options daemon;
  bool hub = false;
  bool node = false;
};

template <class Reply>
result<int> show_status(daemon_kind kind, const daemon_options& daemon, const admin_request& request) {
  return show(ask_for<Reply>(kind, daemon, request), daemon.output,
              [](const Reply& status) { std::fputs(status_text(status, unix_now()).c_str(), stdout); });
}

bool socket_exists(daemon_kind kind) {
  std::error_code ignored;  // a folder that cannot be read is the same as no daemon here
  return std::filesystem::exists(daemon_socket(kind, ""), ignored);
}

/// The daemons the user named, else those that run on this machine, else the node.
result<int> status(const status_arguments& in) {
  const bool named = in.hub || in.node || !in.daemon.socket.empty();
  const bool hub = in.hub || (!named && socket_exists(daemon_kind::hub));
  const bool node = in.node || (!named && socket_exists(daemon_kind::node)) || !hub;
  if (node) {
    auto done = show_status<admin_node_status>(daemon_kind::node, in.daemon, admin_node_status_request{});
    if (!done || !hub) return done;
    if (!in.daemon.output.json) std::puts("");
  }
  return show_status<admin_hub_status>(daemon_kind::hub, in.daemon, admin_hub_status_request{});
}

}  // namespace

void add_status_command(command_tree& tree) {
  auto in = std::make_shared<status_arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "status",
       .summary = "Say what the daemons of this machine do: link, deliveries, mounts, who waits for what.",
       .examples = "firstlight status\nfirstlight status --hub\nfirstlight status --node --json",
       .details = "Without --hub and --node every daemon whose socket is there is asked; with --json that "
                  "gives one line each, the node first."},
      [in] { return status(*in); });
  auto* hub = command->add_flag("--hub", in->hub, "of the hub");
  auto* node = command->add_flag("--node", in->node, "of the node");
  hub->excludes(node);
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

void add_version_command(command_tree& tree) {
  auto json = std::make_shared<bool>(false);
  auto* version = tree.add(
      tree.root(), {.name = "version", .summary = "Print the version.", .examples = "firstlight version"},
      [json]() -> result<int> {
        if (*json) {
          std::printf("{\"version\":\"%s\",\"protocol_version\":%u}\n",
                      std::string(software_version()).c_str(), protocol_version);
        } else {
          std::printf("%s\n", version_line().c_str());
        }
        return 0;
      });
  version->add_flag("--json", *json, "print it as one line of JSON");
}

}  // namespace firstlight
