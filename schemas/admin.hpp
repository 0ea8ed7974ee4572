#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/bytes.hpp"
#include "model/registry_login.hpp"
#include "schemas/admin_learning.hpp"
#include "schemas/admin_operations.hpp"
#include "schemas/admin_values.hpp"

/// What a daemon and its local command line or console say to each other (schemas/admin.capnp), as
/// plain values. One request has one reply of the type that the request's comment names, or an error;
/// while it runs, any number of `admin_progress`.
namespace firstlight {

// ---- requests to the hub ---------------------------------------------------------------------------

/// Takes an image in, or looks whether its tag has moved. Answered by `admin_image`.
struct admin_image_add {
  std::string reference;  ///< or "oci:DIR[:TAG]", "oci-archive:FILE[:TAG]", "docker-archive:FILE[:TAG]"
  std::string platform;   ///< empty: the host's
  std::string name;       ///< under which nodes pull it; empty: as the reference says
  friend bool operator==(const admin_image_add&, const admin_image_add&) = default;
};
/// Answered by `admin_image_list`.
struct admin_image_list_request {
  friend bool operator==(const admin_image_list_request&, const admin_image_list_request&) = default;
};
/// Answered by `admin_image_detail`.
struct admin_image_show {
  std::string reference;
  std::string platform;
  friend bool operator==(const admin_image_show&, const admin_image_show&) = default;
};
/// Answered by `admin_done`. What other images share stays.
struct admin_image_remove {
  std::string reference;
  std::string platform;
  friend bool operator==(const admin_image_remove&, const admin_image_remove&) = default;
};
/// Answered by `admin_hub_status`.
struct admin_hub_status_request {
  friend bool operator==(const admin_hub_status_request&, const admin_hub_status_request&) = default;
};

// ---- requests to the node --------------------------------------------------------------------------

/// When a pull is answered.
enum class pull_until : std::uint8_t {
  mountable = 0,  ///< the table of contents is there
  complete = 1,   ///< all contents are there
  started = 2,    ///< it has been asked for: others that are pulled now come in the same bundle
};

/// Answered by `admin_pulled`; by `admin_done` if only started.
struct admin_pull {
  std::string reference;
  std::string platform;
  pull_until until = pull_until::complete;
  std::string containerd_namespace;  ///< containerd is told of the image there; empty: it is not told
  registry_login login{};            ///< to the image's registry; empty: the node looks for one
  bool for_containerd = false;  ///< containerd asks, no user: the image goes with its last snapshot of it
  friend bool operator==(const admin_pull&, const admin_pull&) = default;
};
/// Pulls when needed, mounts, and answers by `admin_mounted` as soon as the mount can be used.
struct admin_mount_request {
  std::string reference;
  std::string platform;
  std::string target;  ///< absolute; made when missing. Empty: a folder below the run folder
  std::string name;    ///< unique; empty: made from the reference
  bool read_only = false;
  std::string mode;     ///< model/mount_mode.hpp; empty: as the node is set up
  std::string group;    ///< of instances that are started together; empty: none
  bool record = false;  ///< every block that programs read, whatever it costs
  /// Others mount overlays above it (admin_mount::lower); what they need stays when the node stops.
  bool for_overlays = false;
  registry_login login{};  ///< to the image's registry; empty: the node looks for one
  friend bool operator==(const admin_mount_request&, const admin_mount_request&) = default;
};
/// Answered by `admin_done`.
struct admin_umount {
  std::string mount;  ///< its name or its target
  bool lazy = false;  ///< also when in use: gone from the tree now, torn down with its last user
  friend bool operator==(const admin_umount&, const admin_umount&) = default;
};
/// Writes what was changed on a mount as a layer of an OCI image. Answered by `admin_committed`.
struct admin_commit {
  std::string mount;  ///< its name or its target
  std::string file;   ///< absolute; must not exist
  friend bool operator==(const admin_commit&, const admin_commit&) = default;
};
/// Answered by `admin_listing`.
struct admin_list_request {
  friend bool operator==(const admin_list_request&, const admin_list_request&) = default;
};
/// Answered by `admin_node_status`.
struct admin_node_status_request {
  friend bool operator==(const admin_node_status_request&, const admin_node_status_request&) = default;
};
/// Answered by `admin_waited` when all contents are there. Errors: `timed_out`, what ended the delivery.
struct admin_wait {
  std::string what;  ///< a mount's name or target, or a reference
  std::string platform;
  std::uint64_t timeout_ms = 0;  ///< 0: no limit
  friend bool operator==(const admin_wait&, const admin_wait&) = default;
};
/// Writes an image with everything a node needs to one file; exactly one reference. Answered by
/// `admin_bundle`. (Hub.)
struct admin_bundle_save {
  std::vector<std::string> references;
  std::string platform;
  std::string file;  ///< absolute; must not exist
  friend bool operator==(const admin_bundle_save&, const admin_bundle_save&) = default;
};
/// Takes a bundle file in. Answered by `admin_bundle`. (Node.)
struct admin_bundle_load {
  std::string file;  ///< absolute
  friend bool operator==(const admin_bundle_load&, const admin_bundle_load&) = default;
};

enum class layer_place : std::uint8_t { automatic = 0, prefix = 1, relative = 2, absolute = 3 };

/// Answered by `admin_layer`.
struct admin_layer_register {
  std::string key;
  layer_place place = layer_place::automatic;
  std::string path;  ///< of prefix, relative and absolute places
  bool writable = false;
  bool complete = false;
  friend bool operator==(const admin_layer_register&, const admin_layer_register&) = default;
};
/// Answered by `admin_layer_list`.
struct admin_layer_list_request {
  friend bool operator==(const admin_layer_list_request&, const admin_layer_list_request&) = default;
};
/// Answered by `admin_layer`.
struct admin_layer_find {
  std::string key;
  friend bool operator==(const admin_layer_find&, const admin_layer_find&) = default;
};
/// Answered by `admin_layer`.
struct admin_layer_complete {
  std::string key;
  friend bool operator==(const admin_layer_complete&, const admin_layer_complete&) = default;
};
/// Also what is stored of a layer or a snapshot that cannot be read, by the name that `status` says; its
/// files always stay. Answered by `admin_layer`: what it was; its path is where files are left, empty if none
/// are.
struct admin_layer_remove {
  std::string key;
  bool keep_files = false;
  friend bool operator==(const admin_layer_remove&, const admin_layer_remove&) = default;
};

// ---- replies -----------------------------------------------------------------------------------------

struct admin_done {
  friend bool operator==(const admin_done&, const admin_done&) = default;
};
struct admin_image_list {
  std::vector<admin_image> images;
  friend bool operator==(const admin_image_list&, const admin_image_list&) = default;
};
struct admin_image_detail {
  admin_image image;
  std::string manifest_json;
  std::string config_json;
  std::vector<admin_image_layer> layers;  ///< lowest first
  friend bool operator==(const admin_image_detail&, const admin_image_detail&) = default;
};
struct admin_hub_status {
  std::string version;
  std::uint32_t protocol_version = 0;
  std::string name;
  std::string listen;  ///< host:port
  std::uint64_t uptime_ms = 0;
  std::uint32_t images = 0;
  std::uint64_t contents = 0;
  std::uint64_t store_bytes = 0;
  std::uint64_t store_bytes_max = 0;  ///< 0: no limit
  std::uint64_t segments_made = 0;
  std::uint64_t segments_reused = 0;  ///< taken from the cache: cost no CPU
  std::uint64_t segments_dense = 0;   ///< packed anew, smaller, before anybody wanted them
  std::uint32_t connections = 0;      ///< open, of all kinds
  std::uint64_t handshakes_failed = 0;
  std::vector<admin_session> nodes;
  std::vector<admin_ingestion> ingestions;
  std::vector<admin_image> last_known;  ///< images whose tag could not be checked lately
  std::vector<std::string> notices;     ///< what the user should know or change, one line each
  std::uint64_t traces_received = 0;    ///< new ones, since the hub was started
  std::uint64_t traces_refused = 0;
  std::vector<admin_peer> peers;     ///< other hubs that this one has joined
  bool draining = false;             ///< new pulls are refused
  std::uint32_t joined_hubs = 0;     ///< other hubs that have joined this one
  std::uint64_t orders_learned = 0;  ///< from new traces, since the hub was started
  friend bool operator==(const admin_hub_status&, const admin_hub_status&) = default;
};
struct admin_node_status {
  std::string version;
  std::uint32_t protocol_version = 0;
  std::string name;
  std::uint64_t uptime_ms = 0;
  admin_link link;
  std::uint32_t images = 0;
  std::uint32_t images_complete = 0;
  std::uint64_t store_bytes = 0;
  std::uint64_t store_bytes_max = 0;  ///< 0: no limit
  std::uint64_t verification_failures = 0;
  std::vector<admin_delivery> deliveries;  ///< running ones, then ended ones, latest first
  std::vector<admin_mount> mounts;
  std::vector<std::string> notices;  ///< what fell back and why, one line each
  std::uint32_t traces_unsent = 0;   ///< on disk until the hub has them
  std::uint64_t traces_sent = 0;     ///< since the node was started
  std::uint64_t traces_refused = 0;  ///< by the hub, for good
  bool draining = false;             ///< new mounts and pulls are refused
  admin_snapshots snapshots;
  /// By starts that are being recorded: what would be sent of them if the node died now.
  std::uint32_t files_recorded = 0;
  admin_recording recording;
  friend bool operator==(const admin_node_status&, const admin_node_status&) = default;
};
struct admin_pulled {
  admin_node_image image;
  admin_delivery delivery;
  friend bool operator==(const admin_pulled&, const admin_pulled&) = default;
};
struct admin_mounted {
  admin_mount mount;
  std::string config_json;  ///< the image's configuration: what `run` needs
  admin_delivery delivery;
  std::uint64_t elapsed_ms = 0;  ///< from the request until the mount could be used
  friend bool operator==(const admin_mounted&, const admin_mounted&) = default;
};
struct admin_listing {
  std::vector<admin_node_image> images;
  std::vector<admin_mount> mounts;
  friend bool operator==(const admin_listing&, const admin_listing&) = default;
};
struct admin_waited {
  admin_node_image image;
  admin_delivery delivery;
  friend bool operator==(const admin_waited&, const admin_waited&) = default;
};
struct admin_bundle {
  std::string file;
  std::vector<std::string> references;
  std::uint64_t bytes = 0;  ///< of the file
  friend bool operator==(const admin_bundle&, const admin_bundle&) = default;
};
struct admin_layer_list {
  std::vector<admin_layer> layers;
  friend bool operator==(const admin_layer_list&, const admin_layer_list&) = default;
};

struct admin_committed {
  std::string file;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
  std::string diff_id;  ///< sha256:<hex> of the file, which is not compressed
  friend bool operator==(const admin_committed&, const admin_committed&) = default;
};

// ---- the envelopes -----------------------------------------------------------------------------------

using admin_request =
    std::variant<admin_image_add, admin_image_list_request, admin_image_show, admin_image_remove,
                 admin_hub_status_request, admin_pull, admin_mount_request, admin_umount, admin_list_request,
                 admin_node_status_request, admin_wait, admin_bundle_save, admin_bundle_load,
                 admin_layer_register, admin_layer_list_request, admin_layer_find, admin_layer_complete,
                 admin_layer_remove, admin_commit, admin_trace_list_request, admin_trace_show,
                 admin_trace_import, admin_trace_export, admin_trace_remove, admin_trace_score,
                 admin_trace_switch, admin_evict, admin_reconnect, admin_drain, admin_log_level,
                 admin_events_request, admin_waiters_request, admin_receivers_request, admin_trace_default>;

using admin_reply =
    std::variant<admin_done, admin_image, admin_image_list, admin_image_detail, admin_hub_status,
                 admin_node_status, admin_pulled, admin_mounted, admin_listing, admin_waited, admin_bundle,
                 admin_layer, admin_layer_list, admin_committed, admin_trace_list, admin_trace_detail,
                 admin_trace_imported, admin_trace_texts, admin_trace_removed, admin_trace_scores,
                 admin_evicted, admin_events, admin_waiters, admin_receivers>;

/// How a long request comes along.
struct admin_progress {
  std::string stage;        ///< for people, e.g. "fetching layer 2 of 5"
  std::uint64_t done = 0;   ///< bytes
  std::uint64_t total = 0;  ///< bytes; 0: not known
  friend bool operator==(const admin_progress&, const admin_progress&) = default;
};

/// Stateless; any thread. Decoding checks all that it reads. Errors: `corrupt` for bytes that are no
/// such message or hold an unknown alternative or enumerator.
[[nodiscard]] shared_bytes encode(const admin_request& request);
[[nodiscard]] shared_bytes encode(const admin_reply& reply);
[[nodiscard]] shared_bytes encode(const admin_progress& progress);
[[nodiscard]] result<admin_request> decode_admin_request(bytes_view message);
[[nodiscard]] result<admin_reply> decode_admin_reply(bytes_view message);
[[nodiscard]] result<admin_progress> decode_admin_progress(bytes_view message);

/// What a daemon's user gets by --json: one line, fields named as in this header and in its order.
/// `admin_done` is {}. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json(const admin_reply& reply);
/// The same of a part of a hub's status: {"sessions":[...]}.
[[nodiscard]] std::string sessions_json(const std::vector<admin_session>& sessions);

}  // namespace firstlight
