#pragma once
#include <caf/all.hpp>

#include "actors/instance_messages.hpp"
#include "actors/kept_mount.hpp"
#include "actors/layer_messages.hpp"
#include "actors/login_messages.hpp"
#include "actors/messages.hpp"
#include "actors/snapshot_messages.hpp"
#include "actors/trace_messages.hpp"

/// All typed interfaces of the actors: one `using` per role, one line per handler.
/// Errors travel as caf::error made by `to_caf` (actors/errors.hpp) and come back by `from_caf`.
namespace firstlight {

/// PROGRESS LISTENER: told how a long call comes along.
using progress_listener = caf::typed_actor<
    // One encoded Progress of schemas/admin.capnp, or nothing more to say: ignored when late.
    caf::reacts_to<admin_message>>;

/// ADMIN SERVICE: the face of a daemon towards its local command line and console.
using admin_service = caf::typed_actor<
    // Carries one admin request out. Errors: any; the detail is what the user reads.
    caf::replies_to<admin_message, progress_listener>::with<admin_message>>;

/// CONSOLE SESSION: one client of a daemon's admin service: a command, or a console, maybe on another
/// machine (actors/console/).
using console_session = caf::typed_actor<
    // Carried out by the service; the session's sink is told of it. The next one comes after the answer.
    caf::reacts_to<console_request>>;

// ---- hub ----------------------------------------------------------------------------------------

/// NODE LINK: one node as the hub sees it, presented by the transport (actors/net/).
using node_link = caf::typed_actor<
    // Sends and waits for the node's verdict. Errors: `unavailable` when the connection ends first.
    caf::replies_to<outgoing_toc>::with<delivered>, caf::replies_to<outgoing_segment>::with<delivered>,
    // Opens the window of all bulk connections with bytes that mean nothing.
    caf::replies_to<outgoing_padding>::with<delivered>, caf::reacts_to<outgoing_landmark>,
    caf::reacts_to<outgoing_pace>>;

/// PULL LISTENER: told how an ingestion caused by a pull comes along.
using pull_listener = caf::typed_actor<caf::reacts_to<incoming_progress>>;

/// NODE SESSION: the hub's side of one joined node; ends with its link.
using node_session = caf::typed_actor<
    // Resolves, ingests when unknown, plans, and starts sending. Errors: not_found, denied, unavailable, ...
    caf::replies_to<pull_request, pull_listener>::with<pull_started>,
    // Moves blocks to the front of their delivery. Unknown deliveries are ignored: they have just ended.
    caf::reacts_to<want>, caf::reacts_to<cancel_delivery>, caf::reacts_to<bulk_attached>,
    // The bytes are off the link: their credit returns.
    caf::reacts_to<part_received>,
    // What a start on that node has read. Errors: those of the trace aggregator.
    caf::replies_to<trace_report>::with<trace_kept>,
    // Of another hub. Errors: also `denied` to nodes.
    caf::replies_to<peer_question>::with<peer_answer>>;

/// TRACE AGGREGATOR: keeps the traces of all nodes, and learns from them in which order images are read.
using trace_aggregator = caf::typed_actor<
    // Answered once it is on disk. Errors: `corrupt`, `invalid_argument`, `limit_exceeded` for a trace that
    // is refused for good; those of the stores.
    caf::replies_to<trace_report>::with<trace_kept>, caf::reacts_to<learn_again>,
    // A question for ids that asks to wait is answered when there is news. Errors: `corrupt`, those of the
    // store.
    caf::replies_to<peer_question>::with<peer_answer>,
    // From now on told `order_learned` and `trace_added`.
    caf::reacts_to<caf::subscribe_atom, caf::actor>, caf::replies_to<caf::get_atom>::with<aggregator_status>,
    // Its own clock.
    caf::reacts_to<caf::tick_atom>, caf::reacts_to<peer_wait_over>>;

// ---- node ---------------------------------------------------------------------------------------

/// RECEIVER: takes one delivery in, verifies it, stores it, announces it.
using receiver = caf::typed_actor<
    // Answered once verified and stored, or with why not; the answer returns the flow credit.
    caf::replies_to<incoming_toc>::with<verdict>, caf::replies_to<incoming_segment>::with<verdict>,
    caf::reacts_to<incoming_landmark>, caf::reacts_to<incoming_progress>, caf::reacts_to<link_changed>,
    // From instances: blocks that a reader waits for.
    caf::reacts_to<want_blocks>,
    // An instance (or a test) that is told contents_known, blocks_ready, blocks_failed, image_complete from
    // now on.
    caf::reacts_to<caf::subscribe_atom, caf::actor>>;

/// FUSE BRIDGE: answers the kernel for one FUSE session, and holds its mounts.
using fuse_bridge = caf::typed_actor<
    // Answers parked reads; one that has been answered already is skipped.
    caf::reacts_to<reads_released>, caf::reacts_to<read_interrupted>,
    // The ids of the image's contents may be needed by how it is mounted.
    caf::reacts_to<contents_known>,
    // Raises the kernel's read-ahead.
    caf::reacts_to<image_complete>,
    // Takes the mounts down. Errors: `busy` when refused, `io`.
    caf::replies_to<unmount_request>::with<unmounted>>;

/// FILE-SYSTEM INSTANCE: the state of one mount.
using instance = caf::typed_actor<
    // From the FUSE session: answered through the bridge by reads_released.
    caf::reacts_to<park_read>, caf::reacts_to<forget_read>, caf::reacts_to<session_ended>,
    // From the receiver. Readers that came before the contents were known are looked after now.
    caf::reacts_to<contents_known>, caf::reacts_to<blocks_ready>, caf::reacts_to<blocks_failed>,
    caf::reacts_to<image_complete>,
    // Up: everything that readers wait for is asked for again.
    caf::reacts_to<link_changed>,
    // Another source from now on, after the former has ended: subscribes and asks again.
    caf::reacts_to<receiver>, caf::replies_to<caf::get_atom>::with<instance_status>,
    // Errors: `busy`, `io`. The instance ends by itself once the last file is closed.
    caf::replies_to<unmount_request>::with<unmounted>>;

class access_recorder;

/// TRACER: watches the recording of one mount until the start has settled, then hands it to the trace
/// collector and ends; from time to time what there is of it by then.
using tracer = caf::typed_actor<caf::reacts_to<finish_recording>, caf::reacts_to<caf::tick_atom>>;

/// TRACE COLLECTOR: keeps the traces of a node on its disk until the hub has confirmed them.
using trace_collector =
    caf::typed_actor<caf::reacts_to<start_recorded>,
                     // Takes the place of what came before under this id. Sent by the next process if this
                     // one dies before the start has been recorded.
                     caf::reacts_to<start_goes_on>, caf::replies_to<caf::get_atom>::with<collector_status>,
                     // Its own clock: sends what is left.
                     caf::reacts_to<caf::tick_atom>>;

/// What is to be mounted.
struct mount_request {
  std::string name;  ///< a file name, unique among the mounts of this daemon
  std::shared_ptr<const toc_view> toc;
  receiver source;                         ///< invalid when all contents are there
  std::filesystem::path target;            ///< an existing directory
  std::optional<writable_layer> writable;  ///< none: read-only
  mount_mode mode = mount_mode::automatic;
  mount_record record{};               ///< for the next process should this one die; `mode` is set here
  std::optional<kept_session> left{};  ///< of an earlier process: nothing is mounted anew
  std::shared_ptr<access_recorder> recorder{};  ///< notes what programs read; none: nobody wants to know
  bool record_blocks = false;  ///< all reads pass FUSE, without the kernel reading ahead: for the recorder
};
struct mounted {
  instance handle;
  mount_mode mode = mount_mode::overlay;  ///< what `automatic` became
  std::string method;                     ///< for people, e.g. "overlay on FUSE"
  std::string fallback;  ///< why `automatic` did not become a better mode; empty if it is the best
  std::string lower{};   ///< of one for overlays: the lowest part of their lowerdir
};

/// A mount whose instance has ended while programs used it.
struct unmount_failed {
  std::string name;
  busy_mount when_busy = busy_mount::refuse;
};

/// MOUNTER: makes mounts (fuse_bridge/mounter.hpp). Whoever asks owns the instance: an exit message
/// to it takes the mount down.
using mounter = caf::typed_actor<
    // Errors: invalid_argument, already_exists, io with what the kernel refused, unsupported for a mode that
    // this kernel does not have.
    caf::replies_to<mount_request>::with<mounted>,
    // What is left of it afterwards, for programs that use it still, goes with the first request after the
    // last of them. Errors: `busy`, `io`: the target is still there; `not_found`: nobody holds such a mount
    // any more, or not yet.
    caf::replies_to<unmount_failed>::with<unmounted>>;

/// HUB LINK: the hub as the node sees it, presented by the transport (actors/net/). Reconnects by
/// itself with jittered backoff; tells every receiver that has a delivery `link_changed`.
using hub_link = caf::typed_actor<
    // Starts a delivery whose parts go to the receiver. Errors: what the hub answered, `unavailable`.
    caf::replies_to<pull_request, receiver>::with<pull_started>, caf::reacts_to<want>,
    caf::reacts_to<cancel_delivery>, caf::replies_to<caf::get_atom>::with<link_status>,
    // Answers once the link is up. Errors: `timed_out` after the configured time.
    caf::replies_to<caf::join_atom>::with<link_status>,
    // Answered once the hub has it. Errors: what the hub answered, `unavailable`.
    caf::replies_to<trace_report>::with<trace_kept>,
    // Ends the connections and dials anew.
    caf::reacts_to<caf::connect_atom>,
    // For hubs that use this link. Errors: the same.
    caf::replies_to<peer_question>::with<peer_answer>>;

/// LOGIN KEEPER: finds the login that a node sends with a pull: what came with the request, else Docker's,
/// else what a credential provider of kubelet's gives.
using login_keeper = caf::typed_actor<
    // A source that fails is logged and left out.
    caf::replies_to<find_login>::with<found_login>, caf::replies_to<remember_login>::with<login_remembered>,
    caf::reacts_to<login_refused>>;

/// LAYER STORE: registers, finds, completes and removes the layers of a node (storage/layer_registry.hpp).
using layer_store = caf::typed_actor<
    // Errors: already_exists, invalid_argument, limit_exceeded, io.
    caf::replies_to<register_layer>::with<layer_record>,
    // Errors: not_found.
    caf::replies_to<find_layer>::with<layer_record>, caf::replies_to<list_layers>::with<layer_list>,
    // Errors of all below: not_found, io.
    caf::replies_to<complete_layer>::with<layer_record>, caf::replies_to<acquire_layer>::with<layer_record>,
    caf::replies_to<release_layer>::with<layer_record>, caf::replies_to<label_layer>::with<layer_record>,
    // Also `busy` while somebody has it acquired.
    caf::reacts_to<remove_layer>,
    // Of what could not be read; its files stay. Errors: not_found for any other, io.
    caf::replies_to<forget_layer_record>::with<record_forgotten>>;

/// SNAPSHOTTER: containerd's snapshots of a node (model/snapshot_index.hpp), and how they are mounted.
using snapshotter = caf::typed_actor<
    // One whose labels name an image and one of its layers becomes a committed snapshot of that layer at
    // once, if the hub has the image, and the answer is `already_exists`. Errors: those of
    // snapshot_index::make; of its mounts.
    caf::replies_to<make_snapshot>::with<snapshot_mount_list>,
    // Errors: not_found, failed_precondition; those of mounting an image.
    caf::replies_to<mount_snapshot>::with<snapshot_mount_list>,
    // Errors of all below: not_found, io; already_exists, failed_precondition, invalid_argument where it
    // applies.
    caf::replies_to<commit_snapshot>::with<snapshot_record>,
    // Answered once its files are gone.
    caf::replies_to<remove_snapshot>::with<snapshots_cleaned>,
    caf::replies_to<find_snapshot>::with<snapshot_record>,
    caf::replies_to<update_snapshot>::with<snapshot_record>,
    caf::replies_to<list_snapshots>::with<snapshot_list>,
    caf::replies_to<measure_snapshot>::with<snapshot_usage>,
    caf::replies_to<clean_snapshots>::with<snapshots_cleaned>,
    // Of one that is not served; what may be its files is set aside. Errors: not_found for any other, io.
    caf::replies_to<forget_snapshot_record>::with<record_forgotten>>;

/// IMAGE REGISTRAR: tells containerd of images, so that it need not ask a registry.
using image_registrar = caf::typed_actor<
    // Errors: `unavailable` without containerd, what containerd answered.
    caf::replies_to<register_image>::with<image_registered>>;

}  // namespace firstlight

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::mount_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::unmount_failed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(firstlight::mounted)
