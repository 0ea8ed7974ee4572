#include <nlohmann/json.hpp>

#include "apps/command.hpp"
#include "apps/containerd_config_file.hpp"
#include "apps/daemon_settings.hpp"
#include "model/snapshot_mounts.hpp"
#include "model/unified_diff.hpp"

namespace firstlight {
namespace {

struct install_arguments {
  std::string file = "/etc/containerd/config.toml";
  settings_arguments node{.default_file = "/etc/firstlight/node.json"};
  std::string socket;
  bool cri = false;
  bool remove = false;
  bool write = false;
  bool json = false;
};

struct outcome {
  std::string file;
  std::string diff;  ///< empty: nothing is to be done
  std::vector<std::string> notes;
  bool written = false;
  std::string backup;
};

result<containerd_edit> wanted_edit(const install_arguments& in, const node_options& node,
                                    std::string_view text) {
  if (in.remove) return remove_snapshotter(text, node.containerd.snapshotter);
  if (node.containerd.socket.empty())
    return fail(errc::failed_precondition,
                "the node serves no snapshotter: set containerd.socket in " +
                    (in.node.file.empty() ? in.node.default_file : in.node.file) +
                    ", e.g. {\"containerd\": {\"socket\": \"/run/firstlight/containerd.sock\"}}");
  const auto root = std::filesystem::absolute(node.store_folder) / snapshots_folder;
  return install_snapshotter(text, {.snapshotter = node.containerd.snapshotter,
                                    .socket = node.containerd.socket.string(),
                                    .root = root.string(),
                                    .cri = in.cri ? cri_use::by_snapshotter : cri_use::left_alone});
}

result<outcome> carry_out(install_arguments in) {
  if (!in.socket.empty()) in.node.assignments.push_back("containerd.socket=" + in.socket);
  const auto node = load_settings<node_options>(in.node);
  if (!node) return tl::unexpected(node.error());
  const auto text = read_containerd_config(in.file, {});
  if (!text) return tl::unexpected(text.error());
  const auto edit = wanted_edit(in, *node, *text);
  if (!edit) return fail(edit.error(), in.file);
  if (const auto safe = check_containerd_edit(*text, *edit, node->containerd.snapshotter); !safe)
    return fail(safe.error(), in.file);
  outcome out{.file = in.file, .notes = edit->notes};
  out.diff = unified_diff(*text, edit->text, {text->empty() ? "/dev/null" : in.file, in.file});
  if (out.diff.empty() || !in.write) return out;
  const auto backup = write_containerd_config(in.file, edit->text);
  if (!backup) return tl::unexpected(backup.error());
  out.written = true;
  out.backup = backup->string();
  return out;
}

void print_json(const outcome& out) {
  const nlohmann::json answer{{"file", out.file}, {"changed", !out.diff.empty()}, {"written", out.written},
                              {"diff", out.diff}, {"notes", out.notes},           {"backup", out.backup}};
  std::puts(answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

/// The difference alone on standard output, so that `patch` reads it.
void print_text(const outcome& out) {
  std::fputs(out.diff.c_str(), stdout);
  std::fflush(stdout);
  for (const auto& note : out.notes) std::fprintf(stderr, "note: %s\n", note.c_str());
  if (out.diff.empty()) {
    std::fprintf(stderr, "%s: nothing is to be done\n", out.file.c_str());
  } else if (!out.written) {
    std::fputs("Nothing is written; --write does it.\n", stderr);
  } else {
    std::fprintf(stderr, "Written%s. Restart containerd: systemctl restart containerd\n",
                 out.backup.empty() ? "" : ("; what was before: " + out.backup).c_str());
  }
}

result<int> run(const install_arguments& in) {
  const auto out = carry_out(in);
  if (!out) return tl::unexpected(out.error());
  in.json ? print_json(*out) : print_text(*out);
  return 0;
}

}  // namespace

void add_install_commands(command_tree& tree) {
  auto* group = tree.group("install", "Set up other programs of this machine: containerd.");
  auto in = std::make_shared<install_arguments>();
  auto* command = tree.add(
      *group,
      {.name = "containerd",
       .summary = "Show, and with --write make, the change of containerd's config that makes the node its "
                  "snapshotter.",
       .examples = "firstlight install containerd\nfirstlight install containerd --cri --write\n"
                   "firstlight install containerd --remove --write",
       .details =
           "Prints the change as a unified diff. Config versions 2 and 3 are known; what is not touched "
           "stays as it is. With --write the file is replaced in one step, and what it was is kept as "
           "FILE.before-firstlight. containerd reads its config when it starts."},
      [in] { return run(*in); });
  command->add_option("--config", in->file, "containerd's config file")
      ->type_name("FILE")
      ->capture_default_str();
  command->add_flag("--cri", in->cri, "have the CRI plugin (Kubernetes) use the node for all its images");
  command->add_flag("--remove", in->remove, "take the node out of the config instead");
  command->add_flag("--write", in->write, "write the file; without it the change is only shown");
  command
      ->add_option("--socket", in->socket,
                   "the node's socket for containerd (default: containerd.socket of its config)")
      ->type_name("PATH");
  command
      ->add_option("--node-config", in->node.file,
                   "the node's config file (default: " + in->node.default_file + " if it is there)")
      ->type_name("FILE");
  command->add_flag("--json", in->json, "print the answer as one line of JSON");
}

}  // namespace firstlight
