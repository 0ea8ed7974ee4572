#include "actors/node/node_shell.hpp"
#include "storage/commit_layer.hpp"

namespace firstlight::detail {

void commit(const node_shell& my, const admin_commit& asked, admin_promise reply) {
  const auto* mount = find_mount(my, asked.mount);
  if (mount == nullptr && my.state().taking_over > 0)  // it may be one of an earlier process
    return my.state().once_taken_over.push_back([=] { commit(my, asked, reply); });
  if (mount == nullptr)
    return refuse(reply, {errc::not_found, asked.mount + " is no mount; 'firstlight ls' shows them"});
  if (!mount->record.writable)
    return refuse(reply, {errc::invalid_argument, asked.mount + " is read-only: nothing was changed on it"});
  const commit_layer_request request{mount->entry.target, folders_of(*mount->record.writable).upper,
                                     asked.file, my.tools->stop.get()};
  run_on(
      my.tools->loaders.next(), my.self,
      [toc = mount->entry.image.toc, request] { return commit_layer(*toc, request); },
      [reply, file = asked.file](const result<committed_layer>& made) {
        if (!made) return refuse(reply, made.error());
        deliver(reply, admin_committed{file, made->bytes, made->entries, "sha256:" + made->diff_id.hex()});
      });
}

}  // namespace firstlight::detail
