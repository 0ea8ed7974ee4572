#include "apps/daemon_client.hpp"
#include "apps/status_text.hpp"
#include "apps/table.hpp"

namespace firstlight {
namespace {

result<int> sessions(const daemon_options& daemon) {
  const auto status = ask_for<admin_hub_status>(daemon_kind::hub, daemon, admin_hub_status_request{});
  if (!status) return tl::unexpected(status.error());
  if (daemon.output.json)
    std::printf("%s\n", sessions_json(status->nodes).c_str());
  else if (!daemon.output.quiet)
    std::fputs(sessions_text(status->nodes, unix_now()).c_str(), stdout);
  return 0;
}

}  // namespace

void add_sessions_command(command_tree& tree) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command = tree.add(
      tree.root(),
      {.name = "sessions",
       .summary = "List the nodes that have joined the hub: since when, deliveries, bytes, window.",
       .examples = "firstlight sessions\nfirstlight sessions --json",
       .details = "WINDOW is how many bytes may be on their way to a "
                  "node, IN FLIGHT "
                  "how many are. With --json {\"sessions\":[...]}, each as 'firstlight status --hub --json' "
                  "has it."},
      [daemon] { return sessions(*daemon); });
  add_daemon_options(*command, *daemon, daemon_kind::hub);
}

}  // namespace firstlight
