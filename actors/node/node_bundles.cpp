#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

template <class Message>
void tell_mounts_of(const node_shell& my, const toc_id& toc, const Message& message) {
  for (const auto& [name, mount] : my.state().mounts)
    if (mount.entry.image.record.toc == toc) my.self->send(mount.handle, message);
}

/// A delivery of this image that is under way sees that nothing is missing; one that failed is over for good.
void end_deliveries(const node_shell& my, const mountable_image& image) {
  auto& receivers = my.state().receivers;
  const auto running = receivers.find({image.record.reference, image.record.platform});
  if (running == receivers.end()) return;
  if (!running->second.failed)
    return my.self->send(running->second.handle, brought_otherwise{image.record.toc});
  my.self->send_exit(running->second.handle, caf::exit_reason::user_shutdown);
  receivers.erase(running);
}

load_bundle_request request_for(const node_shell& my, const admin_bundle_load& asked,
                                const progress_listener& listener) {
  return {
      .file = asked.file,
      .home = my.tools->home,
      .progress =
          [listener](const pull_progress& news) {
            caf::anon_send(listener,
                           admin_message{encode(admin_progress{news.stage, news.done, news.total})});
          },
      .stored =
          [root = caf::actor_cast<node_root>(my.self)](const toc_id& toc,
                                                       const std::vector<block_run>& runs) {
            caf::anon_send(root, bundle_stored{toc, {std::make_shared<const std::vector<block_run>>(runs)}});
          },
      .stop = my.tools->stop.get()};
}

}  // namespace

void note_stored(const node_shell& my, const bundle_stored& news) {
  tell_mounts_of(my, news.toc, news.blocks);
}

void load_bundle_for(const node_shell& my, const admin_bundle_load& asked, const progress_listener& listener,
                     admin_promise reply) {
  ++my.state().loading;
  run_on(
      my.tools->loaders.next(), my.self,
      [tools = my.tools, request = request_for(my, asked, listener), former = former_versions_here(my),
       root = caf::actor_cast<node_root>(my.self)] {
        const auto tell = [root](const version_replaced& news) { caf::anon_send(root, news); };
        return load_bundle(
            {tools->catalogue, tools->contents, tools->authority, tools->receiver, nullptr, former, tell},
            request);
      },
      [my, reply, file = asked.file](const result<loaded_bundle>& loaded) {
        --my.state().loading;
        if (!loaded) return refuse(reply, loaded.error());
        tell_mounts_of(my, loaded->image.record.toc, image_complete{});
        end_deliveries(my, loaded->image);
        const auto& record = loaded->image.record;
        if (auto noted = note_wanted(my, {record.reference, record.platform}, asks_for_image::user); !noted)
          return refuse(reply, noted.error());
        deliver(reply, admin_bundle{file, {loaded->image.record.reference}, loaded->bytes});
        keep_store_limit(my);
      });
}

}  // namespace firstlight::detail
