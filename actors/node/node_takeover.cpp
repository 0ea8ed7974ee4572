#include <spdlog/spdlog.h>

#include "actors/node/node_shell.hpp"

namespace firstlight::detail {
namespace {

/// The running delivery of what is missing; none if nothing is.
image_receiver source_of(const node_shell& my, const left_mount& left) {
  if (measure_held(*left.image.toc, my.tools->contents).incomplete.empty()) return {};
  const auto& record = left.image.record;
  const auto source = receive(my, key_of(record), left.image);
  if (source) return *source;
  spdlog::error("what mount {} lacks does not arrive: {}", left.mount.name, to_string(source.error()));
  return {};
}

void note_taken_over(const node_shell& my) {
  if (--my.state().taking_over > 0) return;
  for (const auto& then : std::exchange(my.state().once_taken_over, {})) then();
}

bool has_layer(const layer_registry& layers, const mount_record& record) {
  if (!record.writable) return true;
  const auto layer = layers.find(record.writable->layer);
  return layer && layer->path == record.writable->path;
}

}  // namespace

std::vector<left_mount> find_images(const image_catalogue& catalogue, const layer_registry& layers,
                                    const content_store& contents, std::vector<kept_mount> kept) {
  std::vector<left_mount> found;
  for (auto& mount : kept) {
    auto toc = catalogue.tree(mount.record.image.toc);  // it may have been killed before the contents came
    if (!toc || !has_layer(layers, mount.record)) {
      spdlog::error("mount {} of an earlier process ends: {}", mount.name,
                    toc ? "its writable layer is gone" : to_string(toc.error()));
      continue;
    }
    if (mount.must_be_whole && !measure_held(**toc, contents).incomplete.empty()) {
      spdlog::error("mount {} of an earlier process ends: not all of its image has arrived", mount.name);
      continue;
    }
    mountable_image image{mount.record.image, std::move(*toc)};
    found.push_back({std::move(mount), std::move(image)});
  }
  return found;
}

void once_taken_over(const node_shell& my, std::function<void()> then) {
  if (my.state().taking_over == 0) return then();
  my.state().once_taken_over.push_back(std::move(then));
}

void take_over(const node_shell& my, const left_mount& left) {
  const auto& name = left.mount.name;
  const auto& record = left.mount.record;
  my.state().mounting[name] = {record.target};
  ++my.state().taking_over;
  const auto source = source_of(my, left);
  auto request = request_for(name, left.image, record, source);
  request.left = left.mount.session;
  if (record.for_overlays) request.recorder = std::make_shared<access_recorder>(my.tools->recording.limits);
  const auto recorder = request.recorder;
  my.self->request(my.tools->mounts, caf::infinite, std::move(request))
      .then(
          [my, left, source, recorder](const mounted& made) {
            enlist(my, left.mount.name, left.image, left.mount.record, made);
            my.state().mounts.at(left.mount.name).recorder = recorder;
            spdlog::info("goes on with mount {} of an earlier process", left.mount.name);
            // The delivery may have ended before the instance could hear of it.
            const auto now = source_of(my, left);
            if (!now)
              my.self->send(made.handle, image_complete{});
            else if (now != source)
              my.self->send(made.handle, caf::actor_cast<receiver>(now));
            note_taken_over(my);
          },
          [my, name, record](const caf::error& problem) {
            my.state().mounting.erase(name);
            clean_after(my, record);
            spdlog::error("mount {} of an earlier process ends: {}", name, to_string(from_caf(problem)));
            note_taken_over(my);
            quit_when_alone(my);
          });
}

}  // namespace firstlight::detail
