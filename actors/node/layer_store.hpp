#pragma once
#include <functional>

#include "actors/interfaces.hpp"

namespace firstlight {

/// What the layer store needs from outside. `registry` outlives the actor.
struct layer_store_tools {
  layer_registry* registry = nullptr;
  std::function<std::int64_t()> now;  ///< seconds since the epoch
};

/// The LAYER STORE over a registry. Its handlers write to the disk: spawn it with `caf::detached`
/// (in tests without).
layer_store::behavior_type make_layer_store(layer_store::pointer self, layer_store_tools tools);

}  // namespace firstlight
