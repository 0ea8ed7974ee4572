#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "actors/interfaces.hpp"
#include "actors/worker.hpp"
#include "config/containerd_options.hpp"
#include "model/image_fallbacks.hpp"
#include "storage/snapshot_folders.hpp"
#include "storage/snapshot_records.hpp"

namespace firstlight {

/// What the snapshotter works with. Catalogue and content store outlive it.
struct snapshotter_tools {
  snapshot_records records;
  snapshot_folders folders;
  const image_catalogue& catalogue;
  const content_store& contents;
  admin_service root;    ///< pulls, mounts and forgets images
  caf::actor news_to;    ///< told `snapshot_news` after each change
  worker_pool workers;   ///< remove and measure files
  std::string platform;  ///< of all images
  containerd_options options;
  std::filesystem::path images_folder;   ///< images are mounted below it, absolute
  std::function<std::int64_t()> now_ns;  ///< nanoseconds since the epoch
};

/// An image and the chain ids of its layers, the lowest first.
struct layered_image {
  std::string reference;  ///< as it was pulled
  digest manifest;
  std::vector<digest> chain;
};

/// The snapshotter with its own clock.
using clocked_snapshotter = snapshotter::extend<caf::reacts_to<caf::tick_atom>>;

/// The mount of an image for overlays.
struct image_mount {
  std::string name;      ///< among the node's mounts
  std::string lower;     ///< its layers, as overlayfs takes them
  bool adopted = false;  ///< an earlier process has made it
};

/// When it is tried next to forget images that containerd does not need any more.
struct forget_tries {
  std::uint64_t occasion = 0;          ///< the latest; what was to be tried again after an earlier one is not
  std::chrono::milliseconds pause{0};  ///< before the next try
  bool waiting = false;                ///< for the next try
};

struct snapshotter_state {
  static inline const char* name = "snapshotter";
  template <class T>
  using waiting = std::vector<std::function<void(const result<T>&)>>;
  std::map<std::string, waiting<layered_image>> asked;   ///< of the hub, by reference
  std::map<std::string, layered_image> known;            ///< by reference
  std::map<std::string, waiting<std::string>> mounting;  ///< for lower layers, by image (image_name)
  std::map<std::string, image_mount> mounted;            ///< by image
  std::uint64_t next_mount = 0;      ///< each mount has a name of its own: old ones may still end
  std::set<std::uint64_t> removing;  ///< ids of snapshots whose files workers are removing
  std::set<std::string> forgetting;  ///< references of images that the root is asked to forget
  forget_tries tries;
  std::vector<std::function<void()>> later;  ///< at the next tick
  /// What waits until it is known which images an earlier process has mounted; none from then on.
  std::optional<std::vector<std::function<void()>>> before_adoption{std::in_place};
  admin_snapshots news;
  std::shared_ptr<const std::set<digest>> manifests;  ///< snapshot_news::manifests; none: not known any more
  image_fallbacks fallen_back{0};                     ///< as many as the options say from the start on
  progress_listener listener;                         ///< to nobody; it shows that this actor lives
};

/// Spawn it detached: its handlers write to the disk. Each image that a snapshot needs is mounted once, for
/// overlays (admin_mount_request::for_overlays); when this actor ends these mounts stay.
clocked_snapshotter::behavior_type make_snapshotter(
    clocked_snapshotter::stateful_pointer<snapshotter_state> self, std::shared_ptr<snapshotter_tools> tools);

}  // namespace firstlight
