#include "apps/daemon_settings.hpp"

namespace firstlight {
namespace {

using daemon_action = std::function<result<int>(const settings_arguments&)>;

void add_daemon(command_tree& tree, const command_tree::texts& about, const daemon_action& action) {
  auto in = std::make_shared<settings_arguments>();
  auto* command = tree.add(tree.root(), about, [in, action] { return action(*in); });
  add_settings_options(*command, *in, about.name);
}

}  // namespace

void add_hub_command(command_tree& tree, const daemon_actions& actions) {
  add_daemon(tree,
             {.name = "hub",
              .summary = "Serve images to nodes (daemon, in the foreground).",
              .examples = "firstlight hub\nfirstlight hub --config ./hub.json --set listen=127.0.0.1:7420\n"
                          "firstlight hub --peer hub2.example.org:7420",
              .details = "Stops in order at SIGTERM or SIGINT. Needs certificates: see firstlight-pki(1)."},
             actions.hub);
}

void add_node_command(command_tree& tree, const daemon_actions& actions) {
  add_daemon(
      tree,
      {.name = "node",
       .summary = "Mount and receive images on this machine (daemon, in the foreground).",
       .examples = "firstlight node\nfirstlight node --set hub=hub.example.org:7420 --set log_level=debug",
       .details = "Needs root for mounting, and certificates: see firstlight-pki(1). Stops in order at "
                  "SIGTERM or SIGINT; mounts that programs use are left to the next node."},
      actions.node);
}

}  // namespace firstlight
