#include "apps/daemon_client.hpp"
#include "apps/table.hpp"

namespace firstlight {
namespace {

void print_layers(const admin_layer_list& list) {
  table rows({"LAYER", "PATH", "KIND", "STATE", "REFERENCES", "USED"});
  for (const auto& layer : list.layers) {
    rows.add({layer.key, layer.path, layer.writable ? "writable" : "read-only",
              layer.complete ? "complete" : "incomplete", std::to_string(layer.references),
              ago(layer.last_used_at, unix_now())});
  }
  std::fputs(rows.text().c_str(), stdout);
}

void print_layer(const admin_layer& layer) {
  print_layers({{layer}});
}

void print_removed(const admin_layer& gone) {
  std::printf("removed %s%s%s\n", printable(gone.key).c_str(),
              gone.path.empty() ? "" : "; files are left in ", printable(gone.path).c_str());
}

struct layer_arguments {
  daemon_options daemon;
  admin_layer_register request;
  bool keep_files = false;
};

using layer_action = std::function<result<int>(const layer_arguments&)>;

std::shared_ptr<layer_arguments> add_keyed(command_tree& tree, CLI::App& group,
                                           const command_tree::texts& about, CLI::App*& command,
                                           const layer_action& action) {
  auto in = std::make_shared<layer_arguments>();
  command = tree.add(group, about, [in, action] { return action(*in); });
  command->add_option("key", in->request.key, "name of the layer")->required()->type_name("KEY");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
  return in;
}

void add_register(command_tree& tree, CLI::App& group) {
  CLI::App* command = nullptr;
  const auto in =
      add_keyed(tree, group,
                {.name = "register",
                 .summary = "Register a layer and make its folder.",
                 .examples = "firstlight layer register sha256:1234\n"
                             "firstlight layer register work --place absolute --path /data/work --writable"},
                command, [](const layer_arguments& a) {
                  return show(ask_for<admin_layer>(daemon_kind::node, a.daemon, a.request), a.daemon.output,
                              print_layer);
                });
  const std::map<std::string, layer_place> places{{"automatic", layer_place::automatic},
                                                  {"prefix", layer_place::prefix},
                                                  {"relative", layer_place::relative},
                                                  {"absolute", layer_place::absolute}};
  command
      ->add_option("--place", in->request.place,
                   "automatic (by key), prefix (and a free number), relative (to the store) or absolute")
      ->type_name("PLACE")
      ->transform(CLI::Transformer(places));
  command->add_option("--path", in->request.path, "of the places prefix, relative, absolute")
      ->type_name("PATH");
  command->add_flag("--writable", in->request.writable, "programs may write to it");
  command->add_flag("--complete", in->request.complete, "everything is in it already");
}

void add_list(command_tree& tree, CLI::App& group) {
  auto daemon = std::make_shared<daemon_options>();
  auto* command = tree.add(
      group, {.name = "ls", .summary = "List the layers.", .examples = "firstlight layer ls"}, [daemon] {
        return show(ask_for<admin_layer_list>(daemon_kind::node, *daemon, admin_layer_list_request{}),
                    daemon->output, print_layers);
      });
  add_daemon_options(*command, *daemon, daemon_kind::node);
}

}  // namespace

void add_layer_commands(command_tree& tree) {
  auto* group = tree.group("layer", "The node's layer store: register, ls, find, complete, rm.");
  add_register(tree, *group);
  add_list(tree, *group);
  CLI::App* command = nullptr;
  add_keyed(tree, *group,
            {.name = "find", .summary = "Show one layer.", .examples = "firstlight layer find work"}, command,
            [](const layer_arguments& a) {
              return show(ask_for<admin_layer>(daemon_kind::node, a.daemon, admin_layer_find{a.request.key}),
                          a.daemon.output, print_layer);
            });
  add_keyed(tree, *group,
            {.name = "complete",
             .summary = "Note that everything is in a layer.",
             .examples = "firstlight layer complete work"},
            command, [](const layer_arguments& a) {
              return show(
                  ask_for<admin_layer>(daemon_kind::node, a.daemon, admin_layer_complete{a.request.key}),
                  a.daemon.output, print_layer);
            });
  const auto in = add_keyed(
      tree, *group,
      {.name = "rm",
       .summary = "Remove a layer, or a damaged record of one or of a snapshot.",
       .examples = "firstlight layer rm work --keep-files\n"
                   "firstlight layer rm 'layer 7'\n"
                   "firstlight layer rm 'snapshot default/12/web'",
       .details =
           "Where 'firstlight status' tells of layers or containerd's snapshots that cannot be read, it says "
           "how to name them here. Only the record goes, and the answer says where files of it may be left. "
           "Those of snapshots are moved to a folder of their own, where nothing removes them."},
      command, [](const layer_arguments& a) {
        return show(ask_for<admin_layer>(daemon_kind::node, a.daemon,
                                         admin_layer_remove{a.request.key, a.keep_files}),
                    a.daemon.output, print_removed);
      });
  command->add_flag("--keep-files", in->keep_files, "leave its folder where it is");
}

}  // namespace firstlight
