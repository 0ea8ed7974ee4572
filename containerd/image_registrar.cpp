#include "containerd/image_registrar.hpp"

#include "actors/errors.hpp"
#include "containerd/containerd_client.hpp"
#include "containerd/registered_image.hpp"

namespace firstlight {
namespace {

/// The image's name comes last: whoever sees it finds everything that it needs.
result<void> carry_out(const containerd_options& options, const register_image& asked) {
  const auto image = image_for_containerd(asked.image, options.snapshotter);
  if (!image) return tl::unexpected(image.error());
  auto client = containerd_client::open(options, asked.space);
  if (!client) return tl::unexpected(client.error());
  auto& to = **client;
  if (auto stored = to.put(image->config); !stored) return stored;
  if (auto stored = to.put(image->manifest); !stored) return stored;
  std::string parent;
  for (const auto& layer : image->layers) {
    if (auto made = to.prepare_layer(layer, parent); !made) return made;
    parent = layer.target;
  }
  return to.name_image(asked.reference, image->manifest);
}

}  // namespace

image_registrar spawn_image_registrar(caf::actor_system& system, const containerd_options& options) {
  return system.spawn<caf::detached>([options]() -> image_registrar::behavior_type {
    return {[options](const register_image& asked) -> caf::result<image_registered> {
      const auto done = carry_out(options, asked);
      if (!done) return to_caf(done.error());
      return image_registered{};
    }};
  });
}

}  // namespace firstlight
