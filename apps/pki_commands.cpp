#include "apps/command.hpp"

namespace firstlight {
namespace {

template <class Arguments>
void add_common_options(CLI::App& command, Arguments& in) {
  command.add_option("--folder", in.folder, "where the authority is kept")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_flag("--json", in.json, "print the answer as one line of JSON");
}

void add_init(command_tree& tree, CLI::App& group, const daemon_actions& actions) {
  auto in = std::make_shared<pki_init_arguments>();
  auto* command =
      tree.add(group,
               {.name = "init",
                .summary = "Make the certificate authority of a cluster.",
                .examples = "firstlight pki init\nfirstlight pki init --folder ./pki",
                .details = "Keep ca.key of the folder in a safe place: who has it can join as anybody."},
               [in, action = actions.pki_init] { return action(*in); });
  add_common_options(*command, *in);
}

void add_issue(command_tree& tree, CLI::App& group, const daemon_actions& actions) {
  auto in = std::make_shared<pki_issue_arguments>();
  auto* command = tree.add(
      group,
      {.name = "issue",
       .summary = "Issue a certificate with a new key for one hub, node, administrator or monitoring system.",
       .examples = "firstlight pki issue hub main\nfirstlight pki issue node worker-17"},
      [in, action = actions.pki_issue] { return action(*in); });
  command->add_option("role", in->role, "hub, node, admin or monitor")->required()->type_name("ROLE");
  command->add_option("name", in->name, "its name in the cluster: letters, digits, '.', '_', '-'")
      ->required()
      ->type_name("NAME");
  command->add_option("--host", in->hosts, "a further DNS name or address of a hub or node")
      ->type_name("HOST");
  add_common_options(*command, *in);
}

}  // namespace

void add_pki_commands(command_tree& tree, const daemon_actions& actions) {
  auto* group = tree.group("pki", "Certificates of the cluster: init, issue.");
  add_init(tree, *group, actions);
  add_issue(tree, *group, actions);
}

}  // namespace firstlight
