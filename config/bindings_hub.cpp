#include "config/bindings_common.hpp"

namespace firstlight::detail {
namespace {

void bind_ingest(binder& to, ingest_limits& o) {
  to.section("ingest.");
  to.bind("manifest_bytes_max", o.manifest_bytes_max, "an index or a manifest");
  to.bind("config_bytes_max", o.config_bytes_max, "an image configuration");
  to.bind("layers_max", o.layers_max, "layers of one image");
  to.bind("index_depth_max", o.index_depth_max, "indexes within indexes");
  to.bind("layer_bytes_max", o.layer_bytes_max, "one layer, compressed");
  to.bind("layer_unpacked_bytes_max", o.layer_unpacked_bytes_max,
          "one layer's tar, and the sum of its files' sizes");
  to.bind("expansion_ratio_max", o.expansion_ratio_max,
          "unpacked to compressed bytes, once expansion_free_bytes are out");
  to.bind("expansion_free_bytes", o.expansion_free_bytes, "unpacked bytes before the ratio is looked at");
  to.bind("zstd_window_bytes_max", o.zstd_window_bytes_max, "memory that a zstd frame may ask for");
  to.bind("entries_per_layer_max", o.entries_per_layer_max, "entries of one layer's tar");
  to.bind("path_bytes_max", o.path_bytes_max, "a path or a link target in a tar");
  to.bind("extended_header_bytes_max", o.extended_header_bytes_max, "PAX records of one entry");
  to.bind("xattrs_per_entry_max", o.xattrs_per_entry_max, "extended attributes of one file");
  to.bind("xattr_value_bytes_max", o.xattr_value_bytes_max, "one extended attribute's value");
  to.bind("xattr_name_bytes_max", o.xattr_name_bytes_max, "one extended attribute's name");
  to.bind("sparse_regions_max", o.sparse_regions_max, "data regions of one sparse file");
  to.bind("archive_entries_max", o.archive_entries_max, "files in an OCI or docker archive");
  to.bind("entries_cached_bytes_max", o.entries_cached_bytes_max, "one layer's entries as they are stored");
  to.section("ingest.merge.");
  to.bind("inodes_max", o.merge.inodes_max, "files of one image");
  to.bind("name_bytes_max", o.merge.name_bytes_max, "one path component");
  to.bind("depth_max", o.merge.depth_max, "directories above a file");
  to.bind("symlinks_followed_max", o.merge.symlinks_followed_max, "links in one parent path");
}

void bind_registry(binder& to, registry_limits& o) {
  to.section("registry.");
  to.bind("ca_file", o.ca_file,
          "PEM file of CAs that sign registries' certificates, beside the system's; with it loopback is "
          "spoken to "
          "by TLS too");
  to.bind("connect_timeout", o.connect_timeout, "name look-up, TCP and TLS handshake together");
  to.bind("stall_timeout", o.stall_timeout, "no byte for so long is a failed attempt");
  to.bind("request_timeout", o.request_timeout, "manifests, configurations and tokens as a whole");
  to.bind("credential_helper_timeout", o.credential_helper_timeout, "a docker-credential-* program's answer");
  to.bind("backoff_first", o.backoff_first, "before the first retry; doubles, jittered");
  to.bind("backoff_max", o.backoff_max, "longest pause between two attempts");
  to.bind("attempts_max", o.attempts_max, "without progress, before giving up");
  to.bind("redirects_max", o.redirects_max, "of one request");
  to.bind("token_bytes_max", o.token_bytes_max, "a token server's or credential helper's answer");
  to.bind("header_bytes_max", o.header_bytes_max, "one answer's headers that are kept");
  to.bind("buffered_bytes_max", o.buffered_bytes_max, "of a blob, received but not yet read");
}

void bind_access(binder& to, access_options& o) {
  to.section("access.");
  to.bind("check", o.check,
          "always or never: a registry is asked whether a node may read its image, by the node's own login");
  to.bind("cache_time", o.times.allowed, "for so long its 'yes' counts");
  to.bind("refused_time", o.times.refused, "for so long its 'no' counts");
  to.bind("away_time", o.times.away, "for so long its 'yes' counts while it cannot be asked");
  to.bind("resume_time", o.times.resumed,
          "for so long an interrupted delivery may go on, even if its node has lost the login");
  to.bind("entries_max", o.times.entries_max,
          "of answers about images, about repositories, and of deliveries, each; the oldest go");
  to.bind("timeout", o.timeout,
          "of one request to a registry or its token server for that, and of a pause before the next");
  to.bind("attempts_max", o.attempts_max, "to ask a registry; then it counts as away");
  to.bind("questions_max", o.questions_max, "at once; above 0");
  to.bind("questions_per_host_max", o.questions_per_host_max,
          "of them to one registry: a slow one holds no other up; above 0");
  to.bind("waiting_max", o.waiting_max, "pulls that wait for such an answer; further ones are refused");
}

void bind_plan(binder& to, hub_plan_limits& o) {
  to.section("plan.");
  to.bind("first_segment_bytes", o.cut.first_segment_bytes, "unpacked; each second segment doubles it");
  to.bind("segment_bytes_max", o.cut.segment_bytes_max, "largest segment, unpacked");
  to.bind("segment_runs_max", o.cut.segment_runs_max, "runs of blocks in one segment");
  to.bind("patch_piece_bytes", o.cut.patch_piece_bytes,
          "a patched content travels in aligned pieces of this");
  to.section("plan.patch.");
  to.bind("content_bytes_min", o.patch.content_bytes_min, "smaller contents are sent as they are");
  to.bind("content_bytes_max", o.patch.content_bytes_max, "larger contents are sent as they are");
  to.bind("base_bytes_max", o.patch.base_bytes_max, "both sides hold the base in memory while patching");
  to.bind("size_ratio_max", o.patch.size_ratio_max, "between the larger and the smaller of the two");
  to.section("plan.delivery.");
  to.bind("builds_ahead_max", o.delivery.builds_ahead_max,
          "segments of a session that are built before there is credit; wants may double it");
  to.bind("want_segment_bytes", o.delivery.want_segment_bytes,
          "unpacked; wants are gathered up to this into one segment");
  to.bind("want_ahead_bytes", o.delivery.want_ahead_bytes,
          "how far beyond a want the same content is sent with it");
  to.bind("want_ahead_bytes_max", o.delivery.want_ahead_bytes_max,
          "each further want of a content doubles that, up to this");
  to.bind("want_runs_max", o.delivery.want_runs_max, "runs of blocks in one want");
  to.bind("sends_per_block_max", o.delivery.sends_per_block_max, "first sending and repeats together");
  to.section("plan.credit.");
  to.bind("window_bytes_start", o.credit.window_bytes_start, "bytes on the link before anything is measured");
  to.bind("window_bytes_min", o.credit.window_bytes_min, "least window of bytes on the link");
  to.bind("window_bytes_max", o.credit.window_bytes_max, "largest window of bytes on the link");
  to.bind("unverified_bytes_max", o.credit.unverified_bytes_max,
          "sent and not verified yet, so perhaps in the node's memory");
  to.bind("gain_percent", o.credit.gain_percent, "window / bandwidth-delay product; above 100");
  to.bind("pace_bytes_per_second_min", o.credit.pace_bytes_per_second_min,
          "no slower, whatever was measured: a slower link paces by itself");
  to.bind("pace_percent", o.credit.pace_percent, "how fast the window leaves / measured rate; above 100");
  to.bind("rate_rounds", o.credit.rate_rounds, "round trips over which the best rate is kept");
  to.bind("round_trip_window", o.credit.round_trip_window, "how long the least round trip is believed");
  to.section("plan.joint.");
  to.bind("apart_max", o.joint.starts.apart_max,
          "starts of a group that are further apart were not made together");
  to.bind("traces_max", o.joint.starts.traces_max,
          "starts with a label that are looked at for one delivery; of more the latest");
  to.bind("completed_kept_max", o.joint.completed_kept_max, "deliveries remembered after their end");
  to.section("plan.warmup.");
  to.bind("enabled", o.warmup.enabled, "open the window of a joining node's connections by bounded padding");
  to.bind("start_after", o.warmup.start_after,
          "after joining: a pull that comes at once has the link to itself");
  to.bind("first_round_bytes", o.warmup.first_round_bytes, "the first round; each next one doubles");
  to.bind("piece_bytes", o.warmup.piece_bytes, "of one padding message");
  to.bind("bytes_max", o.warmup.bytes_max, "of all rounds together");
  to.bind("time_max", o.warmup.time_max, "of all rounds together");
  to.bind("growth_percent", o.warmup.growth_percent, "a round that brings less than this is flat");
  to.bind("flat_rounds_max", o.warmup.flat_rounds_max, "after so many in a row the window is open");
}

void bind_dense(binder& to, segment_limits& packing, dense_limits& o) {
  to.section("plan.dense.");
  to.bind("level", packing.dense_level,
          "zstd level at which what starts are expected to read is packed anew; 0: it is not");
  to.bind("after", o.after, "an image's order has stayed as it is for so long");
  to.bind("after_at_most", o.after_at_most, "the same of an image whose order changes all the time");
  to.bind("bytes_max", o.bytes_max, "unpacked, of one image: what is read first");
}

void bind_learning(binder& to, learning_options& o) {
  to.section("learning.");
  to.bind("traces_max", o.selection.traces_max, "traces of one image that count; older ones do not");
  to.bind("traces_per_node_and_day", o.selection.traces_per_node_and_day,
          "so that no node decides alone; above 0");
  to.bind("half_weight_after", o.selection.half_weight_after,
          "a trace with so many newer ones counts half; above 0");
  to.bind("traces_kept_max", o.kept.kept_max,
          "traces of one image on disk; of more the oldest of the node with the most go");
  to.bind("traces_kept_bytes_max", o.kept.kept_bytes_max, "of all traces of one image on disk");
  to.bind("removed_traces_max", o.kept.removed_max, "ids of removed traces, which do not come back");
  to.bind("removed_traces_time", o.kept.removed_time,
          "after it removed traces are forgotten, and traces so old refused");
  to.bind("orphans_max", o.orphans.count_max, "traces of images that the hub does not have");
  to.bind("orphans_bytes_max", o.orphans.bytes_max, "of all such traces");
  to.bind("orphans_per_node_max", o.orphans.per_node_max, "such traces of one node");
  to.bind("trace_bytes_max", o.trace_bytes_max, "of one trace");
  to.bind("files_max", o.traces.files_max, "files of one trace");
  to.bind("runs_max", o.traces.runs_max, "runs of blocks of one trace");
  to.bind("opened_bytes_max", o.order.opened_bytes_max,
          "what is expected of a file that was opened and never seen read");
  to.bind("relatives_max", o.relatives_max, "images that are looked at for one without traces of its own");
  to.bind("followers_max", o.followers_max,
          "images without traces that are compared with one that has a new trace");
  to.bind("relative_maps_max", o.relative_maps_max, "changed files of a relative whose symbols are read");
  to.bind("relative_news_bytes_max", o.relatives.news_bytes_max,
          "of files that a relative says nothing of, sent before what it teaches");
  to.bind("relative_changed_bytes_max", o.relatives.changed_bytes_max,
          "of files that have changed since a relative, sent beside what it teaches");
  to.bind("relative_midway_bytes_max", o.relatives.midway_bytes_max,
          "of one such file, of which the relative reads most, sent in between");
  to.bind("gather_time", o.gather_time, "traces that come together are learned from together");
  to.bind("forget_interval", o.forget_interval,
          "how often it is looked which removed traces can be forgotten");
  to.bind("peer_interval", o.peer_interval,
          "before another hub is tried again after a failure, or asked again if it does not wait for news");
  to.bind("peer_wait", o.peer_wait, "another hub that asks for news is answered after it when there is none");
  to.bind("peers_waiting_max", o.peers_waiting_max,
          "other hubs that wait for news; more are answered at once");
  to.bind("peer_calls_max", o.peer_calls_max,
          "traces on their way to another hub, and as many from it; above 0");
  to.bind("peer_ids_max", o.peer_ids_max, "ids of traces in one answer to another hub");
  to.bind("peer_known_max", o.peer_known_max,
          "ids of traces that another hub may list, removed ones included");
  to.bind("refusals_shown_max", o.refusals_shown_max, "reasons of refused traces that status shows");
}

}  // namespace

std::vector<binding> bindings_of(hub_options& o) {
  binder to;
  to.bind("store_folder", o.store_folder, "everything the hub keeps: contents, catalogue, segments");
  to.bind("socket", o.socket, "UNIX socket for local commands, mode 0600");
  to.bind("listen", o.listen, "address:port for nodes; port 0: any free one");
  to.bind("address_file", o.address_file, "the bound address is written to this file; empty: nowhere");
  to.bind("revoked_nodes", o.revoked_nodes, "certificate names that may not join; admin:NAME, monitor:NAME");
  to.bind("log_level", o.log_level, "trace, debug, info, warn or error");
  to.bind("peers", o.peers, "host:port of other hubs, with which traces are exchanged both ways");
  to.bind(
      "metrics_listen", o.metrics_listen,
      "/metrics, /healthz, /readyz: address:port (TLS, monitors' certificates) or /path of a UNIX socket");
  to.bind("docker_config", o.docker_config,
          "Docker's config.json, for logins to registries; empty: $DOCKER_CONFIG, then ~/.docker");
  to.bind("plain_http_registries", o.plain_http_registries,
          "host[:port] reached without TLS, as loopback is");
  to.bind("tag_check_interval", o.tag_check_interval,
          "a tag is looked up in its registry at most once in this time");
  to.bind("store_bytes_max", o.store_bytes_max,
          "an image whose new contents need more is refused; the hub removes none by itself; 0: no limit");
  to.bind(
      "store_refused_time", o.refusals.remembered_for,
      "for so long an image without room below store_bytes_max is not fetched again, unless room was made");
  to.bind("store_refused_max", o.refusals.images_max,
          "such images that are remembered; the one refused longest ago goes");
  to.bind("image_removal_wait", o.image_removal_wait,
          "an image that is to be removed while others are being added waits at most for so long");
  to.bind("image_removal_patience", o.image_removal_patience,
          "after so long others that are new wait for it; between two such times they do not; above 0");
  to.bind("image_removal_hold", o.image_removal_hold,
          "for so long at once they wait, if no image goes meanwhile; 0: they never do");
  to.bind("segment_cache_bytes_max", o.segment_cache_bytes_max, "compressed segments kept for the next node");
  to.bind("workers", o.workers, "threads that compress; 0: one a core");
  bind_tls(to, o.tls);
  bind_link(to, o.link);
  bind_admin(to, o.admin);
  bind_store(to, o.database, o.contents, o.catalogue);
  bind_ingest(to, o.ingest);
  bind_registry(to, o.registry);
  bind_access(to, o.access);
  bind_plan(to, o.plan);
  bind_dense(to, o.segment, o.plan.dense);
  bind_learning(to, o.learning);
  return to.take();
}

}  // namespace firstlight::detail
