#include "actors/node/node_shell.hpp"
#include "storage/commit_layer.hpp"

namespace firstlight::detail {
namespace {

void commit_mount(const node_shell& my, const running_mount& mount, const admin_commit& asked,
                  admin_promise reply) {
  if (!mount.record.writable)
    return refuse(reply, {errc::invalid_argument, asked.mount + " is read-only: nothing was changed on it"});
  const commit_layer_request request{mount.entry.target, folders_of(*mount.record.writable).upper, asked.file,
                                     my.tools->stop.get()};
  run_on(
      my.tools->loaders.next(), my.self,
      [toc = mount.entry.image.toc, request] { return commit_layer(*toc, request); },
      [reply, file = asked.file](const result<committed_layer>& made) {
        if (!made) return refuse(reply, made.error());
        deliver(reply, admin_committed{file, made->bytes, made->entries, "sha256:" + made->diff_id.hex()});
      });
}

}  // namespace

void commit(const node_shell& my, const admin_commit& asked, admin_promise reply) {
  with_mount(my, asked.mount, [=](const running_mount* mount) {
    mount != nullptr ? commit_mount(my, *mount, asked, reply) : refuse(reply, no_mount(asked.mount));
  });
}

}  // namespace firstlight::detail
