#include "apps/command.hpp"
#include "apps/daemon_settings.hpp"
#include "apps/reference_text.hpp"

namespace firstlight {
namespace {

void add_json_option(CLI::App& command, bool& json) {
  command.add_flag("--json", json, "print them as one line of JSON");
}

template <class Options>
void add_show(command_tree& tree, CLI::App& group, const std::string& daemon) {
  struct arguments {
    settings_arguments settings;
    bool json = false;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      group,
      {.name = daemon,
       .summary = "Print all settings of the " + daemon + " as they would be in effect, as a config file.",
       .examples =
           "firstlight config " + daemon + "\nfirstlight config " + daemon + " --set link.silence_max=5s"},
      [in]() -> result<int> {
        const auto options = load_settings<Options>(in->settings);
        if (!options) return tl::unexpected(options.error());
        const auto text = in->json ? to_json_line(*options) + "\n" : to_json_file(*options);
        std::fputs(text.c_str(), stdout);
        return 0;
      });
  add_settings_options(*command, in->settings, daemon);
  add_json_option(*command, in->json);
}

}  // namespace

void add_config_commands(command_tree& tree) {
  auto* group = tree.group("config", "The daemons' settings: hub, node, reference.");
  add_show<hub_options>(tree, *group, "hub");
  add_show<node_options>(tree, *group, "node");
  auto json = std::make_shared<bool>(false);
  auto* reference =
      tree.add(*group,
               {.name = "reference",
                .summary = "Print every setting with its kind, default and meaning, as Markdown.",
                .examples = "firstlight config reference | less\nfirstlight config reference --json"},
               [json]() -> result<int> {
                 const auto text = *json ? settings_reference_json() + "\n" : settings_reference();
                 std::fputs(text.c_str(), stdout);
                 return 0;
               });
  add_json_option(*reference, *json);
}

}  // namespace firstlight
