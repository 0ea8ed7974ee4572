#pragma once
#include "fuse_bridge/writable/kept_files.hpp"
#include "fuse_bridge/writable/layer_tree.hpp"
#include "fuse_bridge/writable/noted_numbers.hpp"
#include "fuse_bridge/writable/upper_layer.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Tells a fresh tree what the read-write layer has, from this or another mount of the same image, also one
/// that kernel overlayfs has written, and what an earlier process of the session has kept. Reads every folder
/// of the layer once. Each file has the number that it had when it was last in use, as far as that is free.
/// Errors: `io`; `limit_exceeded` when a path is too long for the system.
result<void> load_layer(layer_tree& tree, upper_layer& layer, const kept_files& kept,
                        const noted_numbers& numbers);

}  // namespace firstlight
