#include <nlohmann/json.hpp>

#include "apps/command.hpp"
#include "storage/pki/certificate_authority.hpp"

namespace firstlight {
namespace {

constexpr const char* default_folder = "/etc/firstlight/pki";

void add_init(command_tree& tree, CLI::App& group) {
  struct arguments {
    std::string folder = default_folder;
    bool json = false;
  };
  auto in = std::make_shared<arguments>();
  auto* command =
      tree.add(group,
               {.name = "init",
                .summary = "Make the certificate authority of a cluster.",
                .examples = "firstlight pki init\nfirstlight pki init --folder ./pki",
                .details = "Keep ca.key of the folder in a safe place: who has it can join as anybody."},
               [in]() -> result<int> {
                 if (const auto done = init_ca(in->folder); !done) return tl::unexpected(done.error());
                 if (in->json) {
                   std::printf("%s\n", nlohmann::json{{"folder", in->folder}}.dump().c_str());
                 } else {
                   std::printf("%s/ca.crt  for every machine\n%s/ca.key  keep it safe\n", in->folder.c_str(),
                               in->folder.c_str());
                 }
                 return 0;
               });
  command->add_option("--folder", in->folder, "where the authority is kept")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_flag("--json", in->json, "print the answer as one line of JSON");
}

void add_issue(command_tree& tree, CLI::App& group) {
  struct arguments {
    std::string folder = default_folder;
    std::string role;
    std::string name;
    std::vector<std::string> hosts;
    bool json = false;
  };
  auto in = std::make_shared<arguments>();
  auto* command =
      tree.add(group,
               {.name = "issue",
                .summary = "Issue a certificate with a new key for one hub, node or administrator.",
                .examples = "firstlight pki issue hub main\nfirstlight pki issue node worker-17"},
               [in]() -> result<int> {
                 const auto role = parse_pki_role(in->role);
                 if (!role) return tl::unexpected(role.error());
                 const auto files = issue_certificate(in->folder, *role, in->name, in->hosts);
                 if (!files) return tl::unexpected(files.error());
                 if (in->json) {
                   const nlohmann::json answer{{"certificate", files->certificate.string()},
                                               {"key", files->key.string()}};
                   std::printf("%s\n", answer.dump().c_str());
                 } else {
                   std::printf("%s\n%s\n", files->certificate.c_str(), files->key.c_str());
                 }
                 return 0;
               });
  command->add_option("role", in->role, "hub, node or admin")->required()->type_name("ROLE");
  command->add_option("name", in->name, "its name in the cluster: letters, digits, '.', '_', '-'")
      ->required()
      ->type_name("NAME");
  command->add_option("--host", in->hosts, "a further DNS name or address of a hub")->type_name("HOST");
  command->add_option("--folder", in->folder, "where the authority is kept")
      ->type_name("DIR")
      ->capture_default_str();
  command->add_flag("--json", in->json, "print the answer as one line of JSON");
}

}  // namespace

void add_pki_commands(command_tree& tree) {
  auto* group = tree.group("pki", "Certificates of the cluster: init, issue.");
  add_init(tree, *group);
  add_issue(tree, *group);
}

}  // namespace firstlight
