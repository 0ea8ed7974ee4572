#pragma once
#include "actors/interfaces.hpp"
#include "config/containerd_options.hpp"

namespace firstlight {

/// Starts an IMAGE REGISTRAR on a thread of its own: calls to containerd block. It writes manifest and
/// configuration into containerd's content store, has the snapshots of the layers made, and then names the
/// image, so that containerd takes all of it for pulled and unpacked.
[[nodiscard]] image_registrar spawn_image_registrar(caf::actor_system& system,
                                                    const containerd_options& options);

}  // namespace firstlight
