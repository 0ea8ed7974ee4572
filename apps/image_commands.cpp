#include <utility>

#include "apps/image_arguments.hpp"
#include "apps/local_path.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

void print_image(const admin_image& image) {
  std::printf("%s  %s\n", printable(image.reference).c_str(), image.platform.c_str());
  std::printf("  manifest   sha256:%s\n", image.manifest.c_str());
  std::printf("  source     %s\n", printable(image.source).c_str());
  std::printf("  size       %s compressed in %u layers, %s in %u files\n",
              rounded_bytes(image.compressed_bytes).c_str(), image.layers,
              rounded_bytes(image.content_bytes).c_str(), image.files);
  std::printf("  tag        checked %s%s\n", ago(image.checked_at, unix_now()).c_str(),
              image.last_known ? (", registry away since: " + printable(image.last_error)).c_str() : "");
}

void print_detail(const admin_image_detail& detail) {
  print_image(detail.image);
  const char* title = "layers";
  for (const auto& layer : detail.layers)
    std::printf("  %-10s sha256:%s  %s\n", std::exchange(title, ""), layer.digest.c_str(),
                rounded_bytes(layer.bytes).c_str());
  std::printf("  config     %s\n", printable(detail.config_json).c_str());
}

void print_images(const admin_image_list& list) {
  if (list.images.empty()) {
    std::puts("The hub has no images; add one with 'firstlight image add REFERENCE'.");
    return;
  }
  table rows({"IMAGE", "PLATFORM", "MANIFEST", "COMPRESSED", "FILES", "ADDED", "TAG CHECKED"});
  for (const auto& image : list.images) {
    rows.add({image.reference, image.platform, short_digest(image.manifest),
              rounded_bytes(image.compressed_bytes), std::to_string(image.files),
              ago(image.added_at, unix_now()),
              ago(image.checked_at, unix_now()) + (image.last_known ? " (registry away)" : "")});
  }
  std::fputs(rows.text().c_str(), stdout);
}

void add_add(command_tree& tree, CLI::App& group) {
  struct arguments : image_arguments {
    std::string name;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      group,
      {.name = "add",
       .summary = "Take an image into the hub, or look whether its tag has moved.",
       .examples = "firstlight image add redis:7\nfirstlight image add registry.example.org/team/app:1.2 "
                   "--platform linux/arm64\n"
                   "firstlight image add oci:/images/redis --name redis:test",
       .details =
           "REFERENCE is a registry's image, oci:DIR[:TAG], oci-archive:FILE[:TAG] or "
           "docker-archive:FILE[:NAME]. "
           "Nodes may pull images of registries without this: the hub then adds them at the first pull."},
      [in]() -> result<int> {
        const auto reference = absolute_reference(in->reference);
        if (!reference) return tl::unexpected(reference.error());
        return show(ask_for<admin_image>(daemon_kind::hub, in->daemon,
                                         admin_image_add{*reference, in->platform, in->name}),
                    in->daemon.output, print_image);
      });
  add_reference(*command, *in);
  command->add_option("--name", in->name, "name under which nodes pull it (default: the reference)")
      ->type_name("REFERENCE");
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

void add_ls(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<image_arguments>();
  auto* command = tree.add(
      group,
      {.name = "ls",
       .summary = "List the hub's images.",
       .examples = "firstlight image ls\nfirstlight image ls --json | jq -r '.images[].reference'"},
      [in] {
        return show(ask_for<admin_image_list>(daemon_kind::hub, in->daemon, admin_image_list_request{}),
                    in->daemon.output, print_images);
      });
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

void add_show(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<image_arguments>();
  auto* command =
      tree.add(group,
               {.name = "show",
                .summary = "Show one image with its layers and its configuration.",
                .examples = "firstlight image show redis:7"},
               [in] {
                 return show(ask_for<admin_image_detail>(daemon_kind::hub, in->daemon,
                                                         admin_image_show{in->reference, in->platform}),
                             in->daemon.output, print_detail);
               });
  add_reference(*command, *in);
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

void add_rm(command_tree& tree, CLI::App& group) {
  auto in = std::make_shared<image_arguments>();
  auto* command = tree.add(group,
                           {.name = "rm",
                            .summary = "Remove an image from the hub; what other images share stays.",
                            .examples = "firstlight image rm redis:7"},
                           [in] {
                             return show(ask_for<admin_done>(daemon_kind::hub, in->daemon,
                                                             admin_image_remove{in->reference, in->platform}),
                                         in->daemon.output, [&](const admin_done&) {
                                           std::printf("removed %s\n", printable(in->reference).c_str());
                                         });
                           });
  add_reference(*command, *in);
  add_daemon_options(*command, in->daemon, daemon_kind::hub);
}

}  // namespace

void add_image_commands(command_tree& tree) {
  auto* group = tree.group("image", "The hub's images: add, ls, show, rm.");
  add_add(tree, *group);
  add_ls(tree, *group);
  add_show(tree, *group);
  add_rm(tree, *group);
}

}  // namespace firstlight
