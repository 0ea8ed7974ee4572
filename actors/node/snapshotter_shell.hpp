#pragma once
#include "actors/node/snapshotter.hpp"
#include "model/labelled_layer.hpp"
#include "model/snapshot_images.hpp"

/// The parts of the snapshotter: what they share, and what each does. Internal to actors/node/.
namespace firstlight::detail {

struct snapshotter_shell {
  clocked_snapshotter::stateful_pointer<snapshotter_state> self;
  std::shared_ptr<snapshotter_tools> tools;

  [[nodiscard]] snapshotter_state& state() const { return self->state; }
  [[nodiscard]] const snapshot_index& index() const { return tools->records.index(); }
};

using mounts_promise = caf::typed_response_promise<snapshot_mount_list>;
using usage_promise = caf::typed_response_promise<snapshot_usage>;

template <class Reply>
void refuse(caf::typed_response_promise<Reply> reply, const error& why) {
  reply.deliver(to_caf(why));
}
template <class Reply>
void deliver(caf::typed_response_promise<Reply> reply, const result<Reply>& outcome) {
  if (!outcome) return refuse(reply, outcome.error());
  reply.deliver(*outcome);
}

/// A client of the root's that listens to nothing and lives for as long as somebody has it.
[[nodiscard]] progress_listener make_client(const snapshotter_shell& my);

/// Tells the root what has changed.
void tell_news(const snapshotter_shell& my);

// ---- images (snapshotter_images.cpp) ------------------------------------------------------------

/// The image of a layer that containerd wants. Asks the hub, which then delivers it, unless it is here or on
/// its way, or `known` from the layer before. Of what is `downloaded` by containerd it only looks whether it
/// is here by now. Errors: those of a pull; `timed_out`, `unavailable` without a hub.
enum class image_is : std::uint8_t { new_here, known, downloaded };
void find_image(const snapshotter_shell& my, const labelled_layer& layer, image_is state,
                std::function<void(const result<layered_image>&)> then);

/// Mounts the image unless it is mounted; then its lower layers, as overlayfs takes them. What reads a new
/// mount first is recorded as of `group`; empty: of none. Errors: those of a mount.
void with_mounted(const snapshotter_shell& my, const remote_layers& what, const std::string& group,
                  std::function<void(const result<std::string>&)> then);

/// Has the start recorded of a container that is about to begin in this active snapshot, if it is above an
/// image, as of the group that its labels name; goes on once the recording has begun, or after `record_wait`.
void tell_start(const snapshotter_shell& my, const snapshot_record& record,
                const std::function<void()>& then);

/// Unmounts images that no active snapshot and no view needs. What runs above them goes on. None while there
/// are snapshots that are not served.
void unmount_unused(const snapshotter_shell& my);

/// Looks which images are mounted, also by an earlier process, and unmounts those that nothing needs.
void adopt_mounts(const snapshotter_shell& my);

/// What all mounts of what these layers show are called; a number is behind it.
[[nodiscard]] std::string image_name(const remote_layers& what);

// ---- forgetting images (snapshotter_forget.cpp) -------------------------------------------------

/// Forgets all images that only containerd wanted and of which no snapshot is left. What cannot be forgotten
/// now is tried again as long as this process lives; the next one begins with it.
void forget_unused(const snapshotter_shell& my);

/// What an image that goes shared with one that stays is had from that one. Not while it is mounted for a
/// snapshot that is being made, or while a snapshot that is not served may stand on it.
void show_from_others(const snapshotter_shell& my);

/// What snapshots need, also those that are not served: their records may be repaired.
[[nodiscard]] snapshot_needs needs_of(const snapshotter_shell& my);

// ---- snapshots that are not served (snapshotter_damage.cpp) ----------------------------------------

/// The notice of all that are left. Empty: there are none.
[[nodiscard]] std::string tell_damage(const snapshotter_shell& my);

/// Forgets the record of one of them. What may be its files is set aside first, so that nothing removes them:
/// its own folder if the record can be read, else all folders that no readable record has. Errors:
/// `not_found` for any other snapshot, those of the stores.
[[nodiscard]] result<record_forgotten> forget_damaged(const snapshotter_shell& my, const std::string& name);

// ---- what they take (snapshotter_usage.cpp) ----------------------------------------------------------

/// What is on the disk: of an active snapshot by now, of a committed one when it was committed; of layers of
/// the hub what has arrived of their image.
void measure(const snapshotter_shell& my, const std::string& name, usage_promise reply);

// ---- making snapshots (snapshotter_make.cpp) ------------------------------------------------------

void make(const snapshotter_shell& my, const make_snapshot& asked, mounts_promise reply);
void mount(const snapshotter_shell& my, const mount_snapshot& asked, mounts_promise reply);

}  // namespace firstlight::detail
