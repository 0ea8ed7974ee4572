#pragma once
#include "actors/node/node_root.hpp"
#include "model/image_reference.hpp"
#include "storage/evict_images.hpp"

/// The parts of the node's root: what they share, and what each does. Internal to actors/node/.
namespace firstlight::detail {

struct node_shell {
  node_root::stateful_pointer<node_root_state> self;
  std::shared_ptr<const node_root_tools> tools;

  [[nodiscard]] node_root_state& state() const { return self->state; }
};

inline void deliver(admin_promise reply, const admin_reply& what) {
  reply.deliver(admin_message{encode(what)});
}
inline void refuse(admin_promise reply, const error& why) {
  reply.deliver(to_caf(why));
}

[[nodiscard]] std::int64_t unix_now();

/// Ends a root that is to stop once nothing is left that uses the stores.
inline void quit_when_alone(const node_shell& my) {
  const auto& state = my.state();
  if (state.stopping && state.mounts.empty() && state.mounting.empty() && state.deliveries.empty() &&
      state.tracers.empty())
    my.self->quit(*state.stopping);
}

[[nodiscard]] inline image_key key_of(const image_record& record) {
  return {record.reference, record.platform};
}
[[nodiscard]] inline image_in_store in_store(const image_record& record) {
  return {key_of(record), record.toc, record.manifest_digest};
}

/// What a user names, in canonical form. An empty platform is the node's own. Errors: `invalid_argument`.
[[nodiscard]] result<image_key> canonical(const node_root_tools& tools, const std::string& reference,
                                          const std::string& platform);

// ---- images (node_images.cpp) ------------------------------------------------------------------

/// The receiver of an image: the running one, or a new one that goes on with `known` or asks the hub anew.
/// Errors: `limit_exceeded`.
[[nodiscard]] result<image_receiver> receive(const node_shell& my, const image_key& key,
                                             const std::optional<mountable_image>& known);

/// From now on the image's repository is pulled by this login that came with a request; an empty one changes
/// nothing.
void use_login(const node_shell& my, const std::string& reference, const registry_login& login);

/// What is stored of an image; nothing if its TOC never arrived, or if that or its record is damaged.
[[nodiscard]] result<std::optional<mountable_image>> stored_image(const node_root_tools& tools,
                                                                  const image_key& key);

/// Who asks for an image.
enum class asks_for_image : std::uint8_t { user, containerd };
/// Notes who wants an image, before it is received: one that containerd was the only one to ask for goes with
/// its last snapshot. Errors: `io`.
[[nodiscard]] result<void> note_wanted(const node_shell& my, const image_key& key, asks_for_image who);

/// Starts the receivers of all images that are not complete.
void resume_interrupted(const node_shell& my);

/// Keeps the end of a delivery for `status`, and ends receivers that are not needed any more.
void note_ended(const node_shell& my, const delivery_ended& ended);

void pull(const node_shell& my, const admin_pull& asked, const progress_listener& listener,
          admin_promise reply);
/// Whether an image is on its way: who asks for it joins that.
[[nodiscard]] bool arrives(const node_shell& my, const image_key& key);
/// Notes who asks, then begins the delivery of the image or joins it. Errors: `unavailable` while the node
/// drains, those of `note_wanted` and `receive`.
[[nodiscard]] result<image_receiver> receive_for(const node_shell& my, const image_key& key,
                                                 asks_for_image who, const progress_listener& client);
/// Answers a pull with an image that can be mounted. Its delivery may have ended by now.
void answer_mountable(const node_shell& my, const image_receiver& source, const mountable_image& image,
                      admin_promise reply);
void wait(const node_shell& my, const admin_wait& asked, const progress_listener& listener,
          admin_promise reply);

// ---- pulls that the snapshotter waits for (node_snapshot_pulls.cpp) -----------------------------

/// A user is told where there is no link, as after a boot; the snapshotter waits for a hub that comes as for
/// one that answers late (model/patient_pull.hpp).
void pull_for_snapshots(const node_shell& my, const admin_pull& asked, const progress_listener& client,
                        admin_promise reply);
/// Ends the delivery if it is for nobody else.
void give_up_pull(const node_shell& my, const pull_given_up& what);

// ---- deliveries that rest (node_resting.cpp) ---------------------------------------------------

/// Whether something may be written for an image: it may be patched against what is there. Deliveries that
/// wait for the hub, or have failed, write nothing.
[[nodiscard]] bool something_arrives(const node_root_state& state);
void note_rest(const node_shell& my, const receiver_rests& news);
/// From here on it may write again. Errors: `cancelled` if nobody needs the receiver any more.
[[nodiscard]] result<void> let_write(const node_shell& my, const caf::actor_addr& receiver);
/// Ends the resting deliveries of images that are to go, but those whose image is mounted by that name.
void end_resting(const node_shell& my, const std::function<bool(const image_key&)>& goes);
/// What has arrived of the images whose deliveries rest.
[[nodiscard]] std::vector<mountable_image> resting_images(const node_shell& my);

// ---- what containerd needs (node_containerd.cpp) -----------------------------------------------

/// Whether former versions of images stay for its containers.
[[nodiscard]] former_versions former_versions_here(const node_shell& my);
void note_snapshots(const node_shell& my, const snapshot_news& news);
void note_replaced(const node_shell& my, const version_replaced& news);
/// Errors: `io`.
[[nodiscard]] result<containerd_images> images_of_containerd(const node_shell& my);
/// Forgets former versions that containerd has no snapshots of, once they are not mounted. Nothing may be
/// arriving. Errors: those of the catalogue.
[[nodiscard]] result<void> forget_former(const node_shell& my);

// ---- bundle files (node_bundles.cpp) -----------------------------------------------------------

void load_bundle_for(const node_shell& my, const admin_bundle_load& asked, const progress_listener& listener,
                     admin_promise reply);

/// Tells the mounts of an image what has come out of a bundle file.
void note_stored(const node_shell& my, const bundle_stored& news);

// ---- looking mounts up (node_mount_lookup.cpp) -------------------------------------------------

/// A path as the kernel's mount table has it: no links, no slash at its end.
[[nodiscard]] std::filesystem::path as_mounted(const std::filesystem::path& path);
/// How many mounts were made by this name of their image, whatever it means now.
[[nodiscard]] std::uint32_t mounts_of(const node_shell& my, const image_key& key);
[[nodiscard]] bool is_mounted(const node_shell& my, const image_key& key);
/// Runs `then` with the mount that a user means by its name or target, nullptr if there is none: at once, or
/// later if an earlier process has made it and it is being taken over.
void with_mount(const node_shell& my, const std::string& name_or_target,
                const std::function<void(running_mount*)>& then);
/// What a user is told then.
[[nodiscard]] error no_mount(const std::string& name_or_target);

// ---- taking mounts down (node_umount.cpp) ------------------------------------------------------

void umount(const node_shell& my, const admin_umount& asked, admin_promise reply);
void answer_overdue(const node_shell& my, const umount_overdue& what);

// ---- mounts that have failed (node_failed_mounts.cpp) ------------------------------------------

/// Whether programs use a mount whose instance has ended, because this process ends or because it has failed:
/// its folder has not been removed.
[[nodiscard]] bool stays_mounted(const node_shell& my, const std::string& name);
/// It is used though its instance has ended: it stays one of the node's, until it is taken down.
void keep_failed(const node_shell& my, running_mount& mount);
/// Some time later: forgets it if it has gone, and takes away what is left if that was asked for. Looks end
/// when there is nothing to wait for; then its failure says why it stays.
void look_at_failed(const node_shell& my, running_mount& mount);
/// The next process goes on with those that programs use.
void leave_failed(const node_shell& my);
/// Answers as `umount` does.
void umount_failed_mount(const node_shell& my, const std::string& name, busy_mount how, admin_promise reply);

// ---- mounts (node_mounts.cpp) ------------------------------------------------------------------

void mount(const node_shell& my, const admin_mount_request& asked, const progress_listener& listener,
           admin_promise reply);
/// Removes what former versions of images have left, and forgets images that nobody uses while the store is
/// above its limit; later, when an image is arriving. In node_eviction.cpp, as what follows.
void keep_store_limit(const node_shell& my);
/// It may have been the last that named what it showed.
void note_unmounted(const node_shell& my, const toc_id& toc);
/// What mounts show.
[[nodiscard]] std::set<toc_id> mounted_versions(const node_shell& my);
/// Who needs which image. Errors: `io`.
[[nodiscard]] result<image_needs> gather_needs(const node_shell& my);
/// What mounts show, and what has arrived of images whose deliveries rest.
[[nodiscard]] std::vector<used_image> images_in_use(const node_shell& my);
/// Whether more is stored than `store_bytes_max`.
[[nodiscard]] bool is_above_limit(const node_shell& my);
/// In node_commit.cpp.
void commit(const node_shell& my, const admin_commit& asked, admin_promise reply);

/// Where what is written to a mount goes.
[[nodiscard]] writable_layer folders_of(const mount_record::writable_part& writable);

/// Removes the writable layers that unnamed mounts of an earlier process have left, except those still used.
/// One that cannot be removed is told of, and stays.
result<void> remove_left_layers(layer_registry& layers, const std::set<layer_id>& kept);

/// Cleans up behind instances and receivers that end.
void watch_mounts(const node_shell& my);

/// What the mounter is to do. `source` may be none: all contents are there.
[[nodiscard]] mount_request request_for(const std::string& name, const mountable_image& image,
                                        const mount_record& record, const image_receiver& source);

/// From now on this is a mount of the node.
const mount_facts& enlist(const node_shell& my, const std::string& name, const mountable_image& image,
                          const mount_record& record, const mounted& made);

/// Removes what a mount that has ended, or was never made, has had made for it.
void clean_after(const node_shell& my, const mount_record& record);

// ---- mounts of an earlier process (node_takeover.cpp) ------------------------------------------

/// Those whose TOC and writable layer are in these stores, and all contents where they must be.
[[nodiscard]] std::vector<left_mount> find_images(const image_catalogue& catalogue,
                                                  const layer_registry& layers, const content_store& contents,
                                                  std::vector<kept_mount> kept);

/// Goes on with it, and with the delivery of its image.
void take_over(const node_shell& my, const left_mount& left);
/// Runs `then` when all of them have been taken over or have ended; at once if none is left to be.
void once_taken_over(const node_shell& my, std::function<void()> then);

// ---- operations (node_operations.cpp) ----------------------------------------------------------

void evict_for(const node_shell& my, const admin_evict& asked, admin_promise reply);
/// Errors: as node_root says.
[[nodiscard]] result<image_forgotten> forget_for_containerd(const node_shell& my, const image_key& key);
void drain(const node_shell& my, const admin_drain& asked, admin_promise reply);
/// Whether a new mount or pull may begin. Errors: `unavailable` while the node drains.
[[nodiscard]] result<void> may_begin(const node_shell& my);

// ---- traces (node_traces.cpp) ------------------------------------------------------------------

/// A start that may be recorded.
struct start_to_record {
  mountable_image image;
  std::string group;        ///< empty: of none
  bool on_purpose = false;  ///< by `firstlight trace record`
  bool repeats = false;     ///< containers start above the same mount, one after another
};

/// What notes this start; none if it is not to be recorded, or where starts repeat one that records nothing
/// yet. Counts it.
[[nodiscard]] std::shared_ptr<access_recorder> recorder_for(const node_shell& my,
                                                            const start_to_record& start);
/// Watches over the recording of a mount that has been made; none if nothing is recorded.
[[nodiscard]] tracer trace_start(const node_shell& my, const start_to_record& start,
                                 const std::shared_ptr<access_recorder>& recorder);
/// Records the start of one more container, unless it is to be recorded with one that is still going on.
void record_container(const node_shell& my, const container_begins& news);
/// Ends the recording of a mount, so that nothing of it holds the mount; its trace is kept.
void finish_trace(const running_mount& mount);
void switch_traces(const node_shell& my, const admin_trace_switch& asked, admin_promise reply);
/// What was said so is taken back.
void restore_tracing(const node_shell& my, const admin_trace_default& asked, admin_promise reply);
/// Errors: `io`.
[[nodiscard]] result<admin_recording> report_recording(const node_shell& my);

// ---- layers (node_layers.cpp) ------------------------------------------------------------------

void register_layer_for(const node_shell& my, const admin_layer_register& asked, admin_promise reply);
void list_layers_for(const node_shell& my, admin_promise reply);
void find_layer_for(const node_shell& my, const admin_layer_find& asked, admin_promise reply);
void complete_layer_for(const node_shell& my, const admin_layer_complete& asked, admin_promise reply);
void remove_layer_for(const node_shell& my, const admin_layer_remove& asked, admin_promise reply);

// ---- reports (node_status.cpp) -----------------------------------------------------------------

void list(const node_shell& my, admin_promise reply);
void status(const node_shell& my, admin_promise reply);

/// The mounts with what their instances say, then `then(vector<admin_mount>)`.
void gather_mounts(const node_shell& my, std::function<void(std::vector<admin_mount>)> then);
/// The deliveries that run, then those that have ended, then `then(vector<admin_delivery>)`.
void gather_deliveries(const node_shell& my, std::function<void(std::vector<admin_delivery>)> then);

/// In node_waiters.cpp.
void waiters(const node_shell& my, admin_promise reply);
void receivers(const node_shell& my, admin_promise reply);

}  // namespace firstlight::detail
