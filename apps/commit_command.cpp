#include "apps/daemon_client.hpp"
#include "apps/local_path.hpp"
#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {

void add_commit_command(command_tree& tree) {
  struct arguments {
    daemon_options daemon;
    admin_commit request;
  };
  auto in = std::make_shared<arguments>();
  auto* command = tree.add(
      tree.root(),
      {.name = "commit",
       .summary = "Write what was changed on a mount to a file, as a layer of an OCI image.",
       .examples = "firstlight commit /mnt/app app.tar && umoci raw add-layer --image layout:tag app.tar",
       .details = "The file is a tar, not compressed, with whiteouts for what was removed; its digest is the "
                  "layer's diff ID. Contents of changed files that have not arrived are waited for. Stop the "
                  "programs on the mount first: what they change meanwhile may be in it or not."},
      [in]() -> result<int> {
        auto request = in->request;
        const auto file = absolute_path(request.file);
        if (!file) return tl::unexpected(file.error());
        request.file = *file;
        if (request.mount.find('/') != std::string::npos) {
          const auto target = absolute_path(request.mount);
          if (!target) return tl::unexpected(target.error());
          request.mount = *target;
        }
        return show(ask_for<admin_committed>(daemon_kind::node, in->daemon, request), in->daemon.output,
                    [](const admin_committed& made) {
                      std::printf("%s  %s, %llu entries\n  %s\n", printable(made.file).c_str(),
                                  rounded_bytes(made.bytes).c_str(),
                                  static_cast<unsigned long long>(made.entries), made.diff_id.c_str());
                    });
      });
  command->add_option("mount", in->request.mount, "its name or where it is mounted")
      ->required()
      ->type_name("MOUNT");
  command->add_option("file", in->request.file, "file to write; must not exist")
      ->required()
      ->type_name("FILE");
  add_daemon_options(*command, in->daemon, daemon_kind::node);
}

}  // namespace firstlight
