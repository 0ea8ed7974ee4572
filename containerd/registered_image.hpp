#pragma once
#include "containerd/containerd_client.hpp"
#include "storage/receive_image.hpp"

namespace firstlight {

/// What containerd is given of an image.
struct image_for_registration {
  containerd_blob manifest;
  containerd_blob config;
  std::vector<labelled_layer> layers;  ///< the lowest first
};

/// The manifest keeps its blobs, the configuration keeps the snapshot of the top layer of `snapshotter`.
/// Pure. Errors: `corrupt`, `unsupported` for a manifest or configuration that cannot be read.
[[nodiscard]] result<image_for_registration> image_for_containerd(const mountable_image& image,
                                                                  const std::string& snapshotter);

}  // namespace firstlight
