#pragma once
#include <deque>
#include <map>
#include <set>

#include "actors/access_recorder.hpp"
#include "actors/followed_events.hpp"
#include "actors/node/load_bundle.hpp"
#include "actors/node/node_reports.hpp"
#include "config/node_options.hpp"
#include "config/node_root_limits.hpp"
#include "model/failed_looks.hpp"
#include "model/image_needs.hpp"
#include "model/patient_pull.hpp"
#include "model/resting_deliveries.hpp"
#include "storage/layer_registry.hpp"
#include "storage/trace_switches.hpp"

namespace firstlight {

/// These blocks of an image have come out of a bundle file.
struct bundle_stored {
  toc_id toc;
  blocks_ready blocks;
};

/// Whoever asked for `mount` to be taken down has waited long enough for its last user, which may be
/// a copy of it in another mount namespace. One that has failed is looked at again.
struct umount_overdue {
  instance mount;
  std::uint64_t look = 0;  ///< failed_looks::look::number; 0: it had not failed
};

/// Who asked for this pull waits no longer. If nobody else waits for the image, its delivery ends, so that
/// the link is free.
struct pull_given_up {
  std::string reference;
  std::string platform;
  caf::actor_addr client;  ///< the progress listener that came with the request, and with no other
};

/// A container is about to start above a mount for overlays.
struct container_begins {
  std::string mount;    ///< its name
  std::string group{};  ///< of what is started together; empty: of none
};
struct container_recorded {};

/// Containerd has no snapshot of this image any more. It goes, unless it is mounted or users want it too.
struct forget_image {
  std::string reference;  ///< canonical
  std::string platform;
};
struct image_forgotten {
  std::uint64_t bytes = 0;  ///< that are free now
};

/// NODE ROOT: answers the node's admin requests; owns receivers and mounts.
using node_root = admin_service::extend<
    caf::reacts_to<delivery_ended>, caf::reacts_to<start_sent>, caf::reacts_to<bundle_stored>,
    caf::reacts_to<version_replaced>, caf::reacts_to<receiver_rests>,
    caf::replies_to<wake_receiver>::with<receiver_awake>,
    // From now on this one has containerd's snapshots.
    caf::reacts_to<snapshotter>, caf::reacts_to<snapshot_news>, caf::reacts_to<umount_overdue>,
    caf::reacts_to<pull_given_up>, caf::replies_to<container_begins>::with<container_recorded>,
    // Errors: `busy` while it is mounted or something arrives,
    // `not_found`, `failed_precondition` if users want it too.
    caf::replies_to<forget_image>::with<image_forgotten>>;

/// What the root works with. The stores outlive it.
struct node_root_tools {
  image_catalogue& catalogue;
  content_store& contents;
  layer_registry& layers;  ///< the writable layers of mounts; all else goes through the store
  firstlight::layer_store layer_store;
  trust_anchor authority;
  hub_link link;
  trace_switches& switches;
  trace_collector collector;
  recording_options recording;
  mounter mounts;
  worker_pool workers;
  worker_pool keepers;                      ///< make what has arrived durable: they wait for the disk
  worker_pool loaders;                      ///< read and write users' files, one after another
  std::shared_ptr<std::atomic<bool>> stop;  ///< set before the loaders are ended
  receiver_limits receiver;
  node_root_limits limits;
  std::filesystem::path run_folder;  ///< mounts without a target of their own are made below it
  std::string mode;                  ///< of mounts for which none is asked, model/mount_mode.hpp
  platform home;                     ///< of requests that name none
  std::string version;
  std::string name;
  std::uint64_t store_bytes_max = 0;
  std::chrono::milliseconds hub_wait{10'000};     ///< for a link to the hub, of pulls of the snapshotter's
  image_registrar registrar{};                    ///< none: this node does not know containerd
  login_keeper logins{};                          ///< none: pulls go without a login
  std::function<std::string()> keeper_problem{};  ///< why mounts would not outlive a crash; empty: they would
  std::shared_ptr<erofs_plans> plans{};           ///< that the mounter takes; may be none
};

using admin_promise = caf::typed_response_promise<admin_message>;

struct running_mount {
  mount_facts entry;
  instance handle;
  mount_record record;
  failed_looks looks;                      ///< once it has failed
  std::optional<busy_mount> told_to_go{};  ///< how it was last; none: it stays
  std::vector<admin_promise> umount_replies{};
  std::string group{};                          ///< of the start that was recorded last
  std::shared_ptr<access_recorder> recorder{};  ///< of its starts; of one that is for overlays always
  tracer tracing{};
};

/// A mount that is being made.
struct mount_in_making {
  std::filesystem::path target;
  /// Ends it, then answers who asked for that; none of one that is taken over.
  std::function<void(std::optional<admin_promise>)> cancel{};
  caf::actor_addr client{};  ///< who waits for it: it is given up when that one goes away
};

struct running_receiver {
  image_receiver handle;
  bool failed = false;
  /// The clients of the pull that started it, and of those that have joined it; empty once others want it.
  std::set<caf::actor_addr> only_for{};
};

/// A pull that the snapshotter waits for.
struct snapshot_pull {
  image_key key;
  progress_listener client;
  admin_promise reply;
  patient_pull core;
};

struct node_root_state {
  static inline const char* name = "node-root";
  std::map<image_key, running_receiver> receivers;
  /// By their receivers; all that have not ended, needed or not.
  resting_deliveries<caf::actor_addr, mountable_image> deliveries;
  std::map<std::uint64_t, snapshot_pull> snapshot_pulls;  ///< each by a number of its own
  std::uint64_t snapshot_pulls_begun = 0;
  std::map<std::string, running_mount> mounts;      ///< those too that have failed, until the node stops
  std::map<std::string, mount_in_making> mounting;  ///< by name
  std::size_t taking_over = 0;                      ///< of those: mounts of an earlier process
  std::vector<std::function<void()>> once_taken_over;
  std::deque<receiver_report> ended;  ///< latest first
  std::shared_ptr<std::atomic<std::uint64_t>> delivery_ids = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::shared_ptr<receiver_group> beside = std::make_shared<receiver_group>();
  std::uint64_t next_name = 0;
  std::uint32_t loading = 0;  ///< bundle files that are being taken in
  /// Images of which containerd is being told.
  std::multiset<image_key> registering;
  std::set<caf::actor_addr> tracers;  ///< whose traces the collector has not been given yet
  std::optional<caf::error> stopping;
  bool draining = false;  ///< new mounts and pulls are refused
  followed_events events;
  firstlight::snapshotter snapshotter;  ///< none: it serves no snapshots
  admin_snapshots snapshots;
  std::string snapshot_damage;  ///< snapshot_news::damage
  firstlight::snapshot_manifests snapshot_manifests;
  std::vector<catalogue_name> former;  ///< versions that have been replaced, and may have to go
  bool has_unnamed = false;            ///< contents may be stored that no record names any more
  std::chrono::steady_clock::time_point started;
};

/// A mount of an earlier process, with what is stored of its image.
struct left_mount {
  kept_mount mount;
  mountable_image image;
};

/// Spawn it detached: it reads and writes the disk. Goes on with the mounts of an earlier process and with
/// interrupted deliveries at once. On an exit message it ends receivers and mounts first; mounts that
/// programs use stay for the next process.
node_root::behavior_type make_node_root(node_root::stateful_pointer<node_root_state> self,
                                        node_root_tools tools, const std::vector<left_mount>& left);

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::bundle_stored)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::umount_overdue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::pull_given_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::container_begins)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::container_recorded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::forget_image)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::image_forgotten)
