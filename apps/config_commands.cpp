#include "apps/command.hpp"
#include "apps/daemon_settings.hpp"
#include "apps/reference_text.hpp"

namespace firstlight {
namespace {

template <class Options>
void add_show(command_tree& tree, CLI::App& group, const std::string& daemon) {
  auto in = std::make_shared<settings_arguments>();
  auto* command = tree.add(
      group,
      {.name = daemon,
       .summary = "Print all settings of the " + daemon + " as they would be in effect, as a config file.",
       .examples =
           "firstlight config " + daemon + "\nfirstlight config " + daemon + " --set link.silence_max=5s"},
      [in]() -> result<int> {
        const auto options = load_settings<Options>(*in);
        if (!options) return tl::unexpected(options.error());
        std::fputs(to_json_file(*options).c_str(), stdout);
        return 0;
      });
  add_settings_options(*command, *in, daemon);
}

}  // namespace

void add_config_commands(command_tree& tree) {
  auto* group = tree.group("config", "The daemons' settings: hub, node, reference.");
  add_show<hub_options>(tree, *group, "hub");
  add_show<node_options>(tree, *group, "node");
  tree.add(*group,
           {.name = "reference",
            .summary = "Print every setting with its kind, default and meaning, as Markdown.",
            .examples = "firstlight config reference | less"},
           []() -> result<int> {
             std::fputs(settings_reference().c_str(), stdout);
             return 0;
           });
}

}  // namespace firstlight
