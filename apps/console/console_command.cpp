#include "apps/command.hpp"

namespace firstlight {

void add_console_command(command_tree& tree, const daemon_actions& actions) {
  auto in = std::make_shared<console_arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "console",
       .summary = "Administer the daemons of this machine interactively.",
       .examples = "firstlight console",
       .details =
           "Reads the commands of this program, with line editing, history and completion of commands, "
           "images and mounts. $FIRSTLIGHT_HUB_SOCKET and $FIRSTLIGHT_NODE_SOCKET say which daemons."},
      [in, console = actions.console] { return console(*in); });
  command->add_option("--history", in->history, "history file (default: ~/.firstlight_history)")
      ->type_name("FILE");
}

}  // namespace firstlight
