#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "model/digest.hpp"

namespace firstlight {

/// By what an image is known on a node: reference and platform, both in canonical form.
using image_key = std::pair<std::string, std::string>;

/// One image of a node's store.
struct image_in_store {
  image_key key;
  toc_id toc;
  digest manifest;
};

/// Manifests of the images that containerd has snapshots of; none: the node has not been told of them yet.
using snapshot_manifests = std::shared_ptr<const std::set<digest>>;

/// What containerd has of a node's images.
struct containerd_images {
  bool is_served = false;  ///< this node makes snapshots for it
  snapshot_manifests snapshots{};
  std::set<image_key> held{};  ///< that it has asked for, and no user has
};

/// IMAGE NEEDS: who needs which images of a node's store. Gathered anew for each decision.
struct image_needs {
  std::set<toc_id> mounted{};  ///< whatever the names mean now by which they were mounted
  std::set<toc_id> waiting{};  ///< what has arrived of them waits for the hub to send the rest
  containerd_images containerd{};
};

/// Whether containers may start of the image: it could not be had again for certain, since the hub may be
/// away, have it no more, or want a login. Each may as long as the node has not been told of snapshots.
[[nodiscard]] bool is_needed(const containerd_images& containerd, const image_in_store& image);

/// Whether the image is not forgotten though the store is above its limit.
[[nodiscard]] bool stays_above_limit(const image_needs& needs, const image_in_store& image);

/// Whether the image is not forgotten when a user has `only` evicted, or all: what waits for the hub goes
/// then, and what containerd has.
[[nodiscard]] bool stays_when_evicted(const std::set<toc_id>& mounted, const std::optional<image_key>& only,
                                      const image_in_store& image);

enum class former_fate : std::uint8_t {
  stays,           ///< as any image: containerd has snapshots of it, or users have asked for it
  goes,            ///< nobody needs it
  goes_unmounted,  ///< as soon as it is not mounted
};
/// What becomes of a version that stayed for containerd when its tag came to mean another one: nothing yet
/// while the node has not been told of snapshots.
[[nodiscard]] former_fate fate_of_former(const image_needs& needs, const image_in_store& image);

/// Whether containerd may need fewer images than it did: it has no snapshot any more of one of `before`, or
/// either is not known.
[[nodiscard]] bool may_need_fewer(const snapshot_manifests& before, const snapshot_manifests& now);

}  // namespace firstlight
