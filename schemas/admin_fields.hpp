#pragma once
#include <type_traits>

#include "schemas/admin.hpp"

/// The fields of each admin message by name, in the order of their declaration: one description for
/// the wire in both directions and for JSON. `io(name, field)` is called for each field.
/// Only for the codecs of this folder.
namespace firstlight::detail {

/// What `Io` may do with a T: an `Io` with `writes` set reads the value only.
template <class Io, class T>
using accessed = std::conditional_t<Io::writes, const T, T>;

template <class Io, class Empty>
requires std::is_empty_v<Empty>
void fields(Io&, Empty&) {}

}  // namespace firstlight::detail

#include "schemas/admin_image_fields.hpp"
#include "schemas/admin_learning_fields.hpp"
#include "schemas/admin_operations_fields.hpp"

namespace firstlight::detail {

template <class Io>
void fields(Io& io, accessed<Io, admin_delivery>& v) {
  io("id", v.id);
  io("reference", v.reference);
  io("platform", v.platform);
  io("toc", v.toc);
  io("state", v.state);
  io("stage", v.stage);
  io("bytes_received", v.bytes_received);
  io("bytes_stored", v.bytes_stored);
  io("bytes_total", v.bytes_total);
  io("segments_received", v.segments_received);
  io("segments_total", v.segments_total);
  io("rate_bytes_per_second", v.rate_bytes_per_second);
  io("wants", v.wants);
  io("verification_failures", v.verification_failures);
  io("elapsed_ms", v.elapsed_ms);
  io("last_known", v.last_known);
  io("error", v.error);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_waiting>& v) {
  io("pid", v.pid);
  io("path", v.path);
  io("offset", v.offset);
  io("bytes", v.bytes);
  io("waiting_ms", v.waiting_ms);
  io("cause", v.cause);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_mount>& v) {
  io("name", v.name);
  io("target", v.target);
  io("reference", v.reference);
  io("platform", v.platform);
  io("toc", v.toc);
  io("method", v.method);
  io("read_only", v.read_only);
  io("complete", v.complete);
  io("bytes_ready", v.bytes_ready);
  io("bytes_total", v.bytes_total);
  io("requests", v.requests);
  io("reads", v.reads);
  io("read_bytes", v.read_bytes);
  io("waits", v.waits);
  io("misses", v.misses);
  io("wait_longest_ms", v.wait_longest_ms);
  io("wait_total_ms", v.wait_total_ms);
  io("failed_blocks", v.failed_blocks);
  io("last_error", v.last_error);
  io("waiting", v.waiting);
  io("mounted_at", v.mounted_at);
  io("mode", v.mode);
  io("fallback", v.fallback);
  io("opens_through", v.opens_through);
  io("opens_by_fuse", v.opens_by_fuse);
  io("lower", v.lower);
  io("failure", v.failure);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_node_image>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("manifest", v.manifest);
  io("toc", v.toc);
  io("complete", v.complete);
  io("bytes_ready", v.bytes_ready);
  io("bytes_total", v.bytes_total);
  io("compressed_bytes", v.compressed_bytes);
  io("files", v.files);
  io("mounts", v.mounts);
  io("last_used_at", v.last_used_at);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_link>& v) {
  io("state", v.state);
  io("peer", v.peer);
  io("address", v.address);
  io("last_error", v.last_error);
  io("reconnects", v.reconnects);
  io("bytes_received", v.bytes_received);
  io("padding_bytes", v.padding_bytes);
  io("bulk_connections", v.bulk_connections);
  io("congestion_control", v.congestion_control);
  io("round_trip_us", v.round_trip_us);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_session>& v) {
  io("name", v.name);
  io("address", v.address);
  io("version", v.version);
  io("joined_at", v.joined_at);
  io("bytes_sent", v.bytes_sent);
  io("bytes_in_flight", v.bytes_in_flight);
  io("credit_bytes", v.credit_bytes);
  io("round_trip_us", v.round_trip_us);
  io("bulk_connections", v.bulk_connections);
  io("congestion_control", v.congestion_control);
  io("deliveries", v.deliveries);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_ingestion>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("stage", v.stage);
  io("done", v.done);
  io("total", v.total);
  io("elapsed_ms", v.elapsed_ms);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer>& v) {
  io("key", v.key);
  io("path", v.path);
  io("writable", v.writable);
  io("complete", v.complete);
  io("references", v.references);
  io("last_used_at", v.last_used_at);
}

template <class Io>
void fields(Io& io, accessed<Io, registry_login>& v) {
  io("user", v.user);
  io("password", v.password);
  io("identity_token", v.identity_token);
  io("registry_token", v.registry_token);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_pull>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("until", v.until);
  io("containerd_namespace", v.containerd_namespace);
  io("login", v.login);
  io("for_containerd", v.for_containerd);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_mount_request>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("target", v.target);
  io("name", v.name);
  io("read_only", v.read_only);
  io("mode", v.mode);
  io("group", v.group);
  io("record", v.record);
  io("for_overlays", v.for_overlays);
  io("login", v.login);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_umount>& v) {
  io("mount", v.mount);
  io("lazy", v.lazy);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_commit>& v) {
  io("mount", v.mount);
  io("file", v.file);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_committed>& v) {
  io("file", v.file);
  io("bytes", v.bytes);
  io("entries", v.entries);
  io("diff_id", v.diff_id);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_wait>& v) {
  io("what", v.what);
  io("platform", v.platform);
  io("timeout_ms", v.timeout_ms);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_bundle_save>& v) {
  io("references", v.references);
  io("platform", v.platform);
  io("file", v.file);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_bundle_load>& v) {
  io("file", v.file);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer_register>& v) {
  io("key", v.key);
  io("place", v.place);
  io("path", v.path);
  io("writable", v.writable);
  io("complete", v.complete);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer_find>& v) {
  io("key", v.key);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer_complete>& v) {
  io("key", v.key);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer_remove>& v) {
  io("key", v.key);
  io("keep_files", v.keep_files);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_hub_status>& v) {
  io("version", v.version);
  io("protocol_version", v.protocol_version);
  io("name", v.name);
  io("listen", v.listen);
  io("uptime_ms", v.uptime_ms);
  io("images", v.images);
  io("contents", v.contents);
  io("store_bytes", v.store_bytes);
  io("store_bytes_max", v.store_bytes_max);
  io("segments_made", v.segments_made);
  io("segments_reused", v.segments_reused);
  io("segments_dense", v.segments_dense);
  io("connections", v.connections);
  io("handshakes_failed", v.handshakes_failed);
  io("nodes", v.nodes);
  io("ingestions", v.ingestions);
  io("last_known", v.last_known);
  io("notices", v.notices);
  io("traces_received", v.traces_received);
  io("traces_refused", v.traces_refused);
  io("peers", v.peers);
  io("draining", v.draining);
  io("joined_hubs", v.joined_hubs);
  io("orders_learned", v.orders_learned);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_snapshots>& v) {
  io("socket", v.socket);
  io("count", v.count);
  io("remote", v.remote);
  io("prepared", v.prepared);
  io("fallbacks", v.fallbacks);
  io("last_fallback", v.last_fallback);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_node_status>& v) {
  io("version", v.version);
  io("protocol_version", v.protocol_version);
  io("name", v.name);
  io("uptime_ms", v.uptime_ms);
  io("link", v.link);
  io("images", v.images);
  io("images_complete", v.images_complete);
  io("store_bytes", v.store_bytes);
  io("store_bytes_max", v.store_bytes_max);
  io("verification_failures", v.verification_failures);
  io("deliveries", v.deliveries);
  io("mounts", v.mounts);
  io("notices", v.notices);
  io("traces_unsent", v.traces_unsent);
  io("traces_sent", v.traces_sent);
  io("traces_refused", v.traces_refused);
  io("draining", v.draining);
  io("snapshots", v.snapshots);
  io("files_recorded", v.files_recorded);
  io("recording", v.recording);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_pulled>& v) {
  io("image", v.image);
  io("delivery", v.delivery);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_mounted>& v) {
  io("mount", v.mount);
  io("config_json", v.config_json);
  io("delivery", v.delivery);
  io("elapsed_ms", v.elapsed_ms);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_listing>& v) {
  io("images", v.images);
  io("mounts", v.mounts);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_waited>& v) {
  io("image", v.image);
  io("delivery", v.delivery);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_bundle>& v) {
  io("file", v.file);
  io("references", v.references);
  io("bytes", v.bytes);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_layer_list>& v) {
  io("layers", v.layers);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_progress>& v) {
  io("stage", v.stage);
  io("done", v.done);
  io("total", v.total);
}

}  // namespace firstlight::detail
