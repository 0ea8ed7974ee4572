#include "apps/daemon_client.hpp"
#include "apps/local_path.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

void print_bundle(const admin_bundle& bundle) {
  std::printf("%s  %s\n", printable(bundle.file).c_str(), rounded_bytes(bundle.bytes).c_str());
  for (const auto& reference : bundle.references) std::printf("  %s\n", printable(reference).c_str());
}

void add_save(command_tree& tree, CLI::App& group) {
  struct arguments {
    daemon_options daemon;
    admin_bundle_save request;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(group,
                           {.name = "save",
                            .summary = "Write an image of the hub to a file, for nodes without network.",
                            .examples = "firstlight bundle save redis.bundle redis:7"},
                           [in]() -> result<int> {
                             auto request = in->request;
                             const auto file = absolute_path(request.file);
                             if (!file) return tl::unexpected(file.error());
                             request.file = *file;
                             return show(ask_for<admin_bundle>(daemon_kind::hub, in->daemon, request),
                                         in->daemon.output, print_bundle);
                           });
  command->add_option("file", in->request.file, "file to write; must not exist")
      ->required()
      ->type_name("FILE");
  command->add_option("image", in->request.references, "reference of the image; a new one is added first")
      ->required()
      ->expected(1)
      ->type_name("REFERENCE");
  command
      ->add_option("--platform", in->request.platform, "os/architecture[/variant] (default: the hub's own)")
      ->type_name("PLATFORM");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

void add_load(command_tree& tree, CLI::App& group) {
  struct arguments {
    daemon_options daemon;
    admin_bundle_load request;
  };
  auto in = std::make_shared<arguments>();
  auto* command =
      tree.add(group,
               {.name = "load",
                .summary = "Take the image of a bundle file into this node.",
                .examples = "firstlight bundle load redis.bundle"},
               [in]() -> result<int> {
                 const auto file = absolute_path(in->request.file);
                 if (!file) return tl::unexpected(file.error());
                 return show(ask_for<admin_bundle>(daemon_kind::node, in->daemon, admin_bundle_load{*file}),
                             in->daemon.output, print_bundle);
               });
  command->add_option("file", in->request.file, "file made by 'firstlight bundle save'")
      ->required()
      ->type_name("FILE");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

}  // namespace

void add_bundle_commands(command_tree& tree) {
  auto* group = tree.group("bundle", "Images as files, for machines without network: save, load.");
  add_save(tree, *group);
  add_load(tree, *group);
}

}  // namespace firstlight
