#include "config/bindings_common.hpp"

namespace firstlight::detail {
namespace {

void bind_layers(binder& to, layer_limits& o) {
  to.section("layers.");
  to.bind("layers_max", o.layers_max, "layers in the layer store");
  to.bind("name_bytes_max", o.name_bytes_max, "a layer's key");
  to.bind("labels_max", o.labels_max, "labels of one layer");
  to.bind("label_bytes_max", o.label_bytes_max, "one label's key and value together");
}

void bind_fuse(binder& to, fuse_limits& o) {
  to.section("fuse.");
  to.bind("passthrough", o.passthrough,
          "modes overlay and fuse: the kernel reads whole contents by itself, where it can (Linux 6.9)");
  to.bind(
      "resend", o.resend,
      "the kernel repeats to the next process what a former one was asked, where it can (Linux 6.9); off: a "
      "crash ends mounts of modes overlay and fuse, a stop those that are written to in mode fuse");
  to.bind(
      "passthrough_bytes_min", o.passthrough_bytes_min,
      "mode overlay: smaller files are read through FUSE, which costs less than lending them to the kernel");
  to.bind("copied_at_once_bytes_max", o.copied_at_once_bytes_max,
          "mode fuse: a larger file is promoted on a thread of its own, so that others do not wait");
  to.bind(
      "copy_range_bytes_max", o.copy_range_bytes_max,
      "mode fuse: one copy_file_range(2) copies no more, so that others do not wait; programs go on with it");
  to.bind("loop_threads", o.loop_threads,
          "threads that take kernel requests; one is cheapest, two help many readers");
  to.bind("parked_reads_max", o.parked_reads_max, "waiting reads; further ones get EIO");
  to.bind("kernel_background_max", o.kernel_background_max,
          "read-ahead requests in flight; parked ones count");
  to.bind("read_ahead_complete_bytes", o.read_ahead_complete_bytes,
          "kernel read-ahead once all contents are there");
  to.bind("want_beyond_blocks", o.want_beyond_blocks,
          "blocks after a missing one that are asked for with it");
  to.bind("failed_blocks_max", o.failed_blocks_max,
          "failed blocks remembered; beyond that the oldest is asked for again");
  to.bind("failure_remembered", o.failure_remembered, "a failed block gives EIO at once for so long");
  to.bind("wait_without_progress_max", o.wait_without_progress_max,
          "a read fails with EIO when nothing came for so long; 0: never");
  to.bind("wait_check_interval", o.wait_check_interval, "how often the limit above is looked at");
  to.bind("killed_check_interval", o.killed_check_interval,
          "how often readers that a signal has reached are looked at");
  to.bind("unmount_timeout", o.unmount_timeout, "for the bridge to take its mounts down");
  to.bind("waits_shown_max", o.waits_shown_max, "waiting reads shown in one status");
}

void bind_recording(binder& to, recording_options& o) {
  to.section("recording.");
  to.bind("mode", o.mode, "which starts are recorded, so that others are faster: always, first or never");
  to.bind("starts", o.starts, "mode first: so many of each image");
  to.bind("settle_time", o.limits.settle_time, "a start is over when nothing new was read for so long");
  to.bind("time_max", o.limits.time_max, "a start is over after this in any case");
  to.bind("trace_bytes_max", o.trace_bytes_max,
          "of one trace, below what hubs take; of more the latest accesses are left out");
  to.bind("check_interval", o.check_interval, "how often it is looked whether a start is over");
  to.bind("keep_interval", o.keep_interval,
          "how often what a start has read by now is written, in case the node dies; 0: never");
  to.bind("watch_opens", o.watch_opens, "also record files that are read without FUSE (fanotify)");
  to.bind("unsent_max", o.unsent_max, "traces kept while the hub is away; the oldest go first");
  to.bind("retry_interval", o.retry_interval, "before a trace that the hub could not take is sent again");
  to.bind("contents_max", o.limits.contents_max, "files of one trace");
  to.bind("runs_max", o.limits.runs_max, "runs of blocks of one trace");
}

void bind_keeper(binder& to, keeper_limits& o) {
  to.section("keeper.");
  to.bind("takeover_wait", o.takeover_wait,
          "mounts of a node that died or was stopped wait for the next one for so long; 0: they end at once");
  to.bind("answer_timeout", o.answer_timeout, "for the keeper to answer its node");
  to.bind("restart_interval", o.restart_interval, "between attempts to replace a keeper that has ended");
  to.bind("kept_mounts_max", o.kept_mounts_max, "mounts that one keeper holds");
  to.bind("message_bytes_max", o.message_bytes_max, "one message between node and keeper");
}

void bind_logins(binder& to, login_options& o) {
  to.section("logins.");
  to.bind("docker_config", o.docker_config,
          "Docker's config.json, for logins to registries; empty: $DOCKER_CONFIG, then ~/.docker");
  to.bind("provider_config", o.provider_config,
          "kubelet's --image-credential-provider-config; empty: no credential providers are asked");
  to.bind("provider_folder", o.provider_folder, "kubelet's --image-credential-provider-bin-dir");
  to.bind("request_time", o.request_time,
          "a login that came with a request (pull secrets, commands) counts for so long; it is kept in "
          "memory only");
  to.bind("helper_timeout", o.helper.timeout, "a docker-credential-* program's answer");
  to.bind("provider_timeout", o.provider.timeout,
          "answers of credential providers, all that suit an image together");
  to.bind("answer_bytes_max", o.helper.answer_bytes_max, "of a docker-credential-* program");
  to.bind("provider_answer_bytes_max", o.provider.answer_bytes_max, "of a credential provider");
  to.bind("requests_max", o.requests_max, "repositories whose logins from requests are remembered");
  to.bind("provided_max", o.provided_max,
          "answers of credential providers that are kept for as long as they say");
  to.bind("providers_max", o.providers_max, "credential providers in one file");
  to.bind("config_bytes_max", o.config_bytes_max, "Docker's and the providers' file");
}

void bind_containerd(binder& to, containerd_options& o) {
  to.section("containerd.");
  to.bind("socket", o.socket, "UNIX socket that serves containerd's snapshots, mode 0600; empty: off");
  to.bind("address", o.address,
          "UNIX socket of containerd, for 'firstlight pull --containerd' and its image service");
  to.bind("snapshotter", o.snapshotter, "what containerd's config calls this node: [proxy_plugins.NAME]");
  to.bind("hub_wait", o.hub_wait,
          "for the hub to say whether it has an image; then containerd downloads it itself");
  to.bind("hub_again", o.hub_again,
          "after a layer of an image was left to containerd: before the hub is asked for those above");
  to.bind("mount_wait", o.mount_wait, "for an image to be mounted below a container");
  to.bind("mount_retry", o.mount_retry, "before a mount that is being made is asked for again");
  to.bind("forget_retry_max", o.forget_retry_max,
          "the longest pause before an image that containerd has removed is tried to be forgotten again");
  to.bind("record_wait", o.record_wait, "for a container's start to be recorded from its beginning");
  to.bind("call_timeout", o.call_timeout, "for one call that the node makes to containerd");
  to.bind("reconnect_wait", o.reconnect_wait,
          "before containerd is tried again that was not there when kubelet asked for an image");
  to.bind("fallbacks_max", o.fallbacks_max,
          "images that containerd downloads itself: remembered, so that each download is counted once");
  to.bind("listed_at_once_max", o.listed_at_once_max, "snapshots in one message of a listing");
  to.bind("message_bytes_max", o.message_bytes_max, "of one call from containerd");
  to.section("containerd.snapshots.");
  auto& limits = o.snapshots;
  to.bind("snapshots_max", limits.snapshots_max, "snapshots of this node");
  to.bind("name_bytes_max", limits.name_bytes_max, "a snapshot's name");
  to.bind("labels_max", limits.labels_max, "labels of one snapshot");
  to.bind("label_bytes_max", limits.label_bytes_max, "one label's key and value together");
  to.bind("chain_max", limits.chain_max, "snapshots above each other");
  to.bind("mount_options_bytes_max", limits.mount_options_bytes_max,
          "the options of one mount, as containerd shortens them; Linux takes a page less one byte");
  to.bind("filters_max", limits.filters_max, "filters of one listing");
  to.bind("filter_bytes_max", limits.filter_bytes_max, "one filter");
  to.bind("pattern_bytes_max", limits.pattern_bytes_max, "memory for one regular expression in a filter");
}

}  // namespace

std::vector<binding> bindings_of(node_options& o) {
  binder to;
  to.bind("store_folder", o.store_folder, "everything the node keeps: contents, tables of contents, layers");
  to.bind("run_folder", o.run_folder, "mounts without a target of their own, bundles of 'firstlight run'");
  to.bind("socket", o.socket, "UNIX socket for local commands, mode 0600");
  to.bind("hub", o.hub, "host:port of the hub");
  to.bind("platform", o.platform, "os/architecture[/variant]; empty: this machine's");
  to.bind("mount_mode", o.mount_mode, "auto, hybrid, overlay or fuse; auto: the best that the kernel can do");
  to.bind("log_level", o.log_level, "trace, debug, info, warn or error");
  to.bind(
      "metrics_listen", o.metrics_listen,
      "/metrics, /healthz, /readyz: address:port (TLS, monitors' certificates) or /path of a UNIX socket");
  to.bind(
      "admin_listen", o.admin_listen,
      "address:port for 'firstlight console --node' on other machines (TLS, admins' certificates); empty: "
      "none");
  to.bind("revoked_nodes", o.revoked_nodes,
          "admin:NAME, monitor:NAME: certificates that this node refuses; the hub refuses those of nodes");
  to.bind("store_bytes_max", o.store_bytes_max,
          "above it images that nobody uses are forgotten, the one used longest ago first; 0: never");
  to.bind("workers", o.workers, "threads that verify and store; 0: one a core");
  to.bind("warm_heap_bytes", o.warm_heap_bytes,
          "memory made ready at the start, so that mounts do not wait for it");
  to.bind("checkpoint_interval", o.receiver.checkpoint_interval,
          "arrived blocks survive a power cut after at most this");
  bind_tls(to, o.tls);
  bind_link(to, o.link);
  bind_admin(to, o.admin);
  bind_store(to, o.database, o.contents, o.catalogue);
  bind_layers(to, o.layers);
  bind_fuse(to, o.fuse);
  bind_keeper(to, o.keeper);
  bind_recording(to, o.recording);
  bind_containerd(to, o.containerd);
  bind_logins(to, o.logins);
  to.section("plan.");
  to.bind("damaged_attempts_max", o.receiver.damaged_attempts_max,
          "how often a block that arrived damaged is asked for again");
  return to.take();
}

}  // namespace firstlight::detail
