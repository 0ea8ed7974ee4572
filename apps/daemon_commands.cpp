#include "apps/command.hpp"
#include "apps/daemon_settings.hpp"

namespace firstlight {
namespace {

template <class Options, class Start>
void add_daemon(command_tree& tree, const command_tree::texts& about, Start start) {
  auto in = std::make_shared<settings_arguments>();
  auto* command = tree.add(tree.root(), about, [in, start, name = about.name]() -> result<int> {
    const auto options = load_settings<Options>(*in);
    if (!options) return tl::unexpected(options.error());
    return serve(name, options->log_level, [&] { return start(*options); });
  });
  add_settings_options(*command, *in, about.name);
}

}  // namespace

void add_daemon_commands(command_tree& tree, daemon_starters starters) {
  add_daemon<hub_options>(
      tree,
      {.name = "hub",
       .summary = "Serve images to nodes (daemon, in the foreground).",
       .examples = "firstlight hub\nfirstlight hub --config ./hub.json --set listen=127.0.0.1:7420",
       .details = "Stops in order at SIGTERM or SIGINT. Needs certificates: see firstlight-pki(1)."},
      std::move(starters.hub));
  add_daemon<node_options>(
      tree,
      {.name = "node",
       .summary = "Mount and receive images on this machine (daemon, in the foreground).",
       .examples = "firstlight node\nfirstlight node --set hub=hub.example.org:7420 --set log_level=debug",
       .details = "Needs root for mounting, and certificates: see firstlight-pki(1). Stops in order at "
                  "SIGTERM or SIGINT."},
      std::move(starters.node));
}

}  // namespace firstlight
