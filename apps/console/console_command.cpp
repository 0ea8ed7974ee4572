#include "apps/command.hpp"

namespace firstlight {

void add_console_command(command_tree& tree, const daemon_actions& actions) {
  auto in = std::make_shared<console_arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "console",
       .summary = "Administer daemons interactively.",
       .examples = "firstlight console\nfirstlight console --hub hub1.example.com:7420\n"
                   "firstlight console --hub hub1.example.com:7420 -- image ls --json\n"
                   "firstlight console --node worker-1.example.com:7421 -- ls",
       .details =
           "Reads the commands of this program, with line editing, history and completion of commands, "
           "images and mounts. $FIRSTLIGHT_HUB_SOCKET and $FIRSTLIGHT_NODE_SOCKET say which daemons of this "
           "machine; --hub and --node lead to those of other machines, by an admin's certificate (firstlight "
           "pki issue admin NAME); a node answers there if its setting admin_listen says where. Paths are of "
           "the daemon's machine. A command behind '--' is carried out instead of a dialogue."},
      [in, console = actions.console] { return console(*in); });
  command->add_option("--history", in->history, "history file (default: ~/.firstlight_history)")
      ->type_name("FILE");
  command->add_option("--hub", in->hub, "a hub on another machine")->type_name("HOST:PORT");
  command->add_option("--node", in->node, "a node on another machine, at its admin_listen")
      ->type_name("HOST:PORT");
  command->add_option("--ca", in->ca, "for --hub, --node: certificate of the authority")->type_name("FILE");
  command->add_option("--certificate", in->certificate, "for --hub, --node: an admin's certificate")
      ->type_name("FILE");
  command->add_option("--key", in->key, "for --hub, --node: its private key")->type_name("FILE");
  command->add_option("command", in->words, "a command and its arguments, behind '--'")->type_name("COMMAND");
}

}  // namespace firstlight
