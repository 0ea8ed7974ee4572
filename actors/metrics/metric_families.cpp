#include "actors/metrics/metric_families.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

namespace firstlight {
namespace {

using prometheus::MetricType;
using label_list = std::vector<prometheus::ClientMetric::Label>;

/// The families of one scrape, in the order in which they were named.
class scrape {
 public:
  void add(MetricType type, const std::string& name, const std::string& help, double value,
           label_list labels = {}) {
    if (families_.empty() || families_.back().name != "firstlight_" + name) {
      families_.push_back({});
      families_.back().name = "firstlight_" + name;
      families_.back().help = help;
      families_.back().type = type;
    }
    prometheus::ClientMetric metric;
    metric.label = std::move(labels);
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    families_.back().metric.push_back(std::move(metric));
  }
  template <class Number>
  void gauge(const std::string& name, const std::string& help, Number value, label_list labels = {}) {
    add(MetricType::Gauge, name, help, static_cast<double>(value), std::move(labels));
  }
  template <class Number>
  void counter(const std::string& name, const std::string& help, Number value, label_list labels = {}) {
    add(MetricType::Counter, name, help, static_cast<double>(value), std::move(labels));
  }

  [[nodiscard]] std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

double in_seconds(std::uint64_t milliseconds) {
  return static_cast<double>(milliseconds) / 1000;
}

void add_build(scrape& to, const std::string& version, std::uint64_t uptime_ms) {
  to.gauge("build_info", "Version of this daemon; always 1.", 1, {{"version", version}});
  to.gauge("uptime_seconds", "Since the daemon was started.", in_seconds(uptime_ms));
}

label_list mount_labels(const admin_mount& mount) {
  return {{"mount", mount.name}, {"image", mount.reference}, {"mode", mount.mode}};
}

/// One family over all mounts: its samples stand together.
template <class Value>
void for_mounts(scrape& to, const admin_node_status& status, MetricType type, const std::string& name,
                const std::string& help, Value value) {
  for (const auto& mount : status.mounts)
    to.add(type, "mount_" + name, help, static_cast<double>(value(mount)), mount_labels(mount));
}

void add_mounts(scrape& to, const admin_node_status& status) {
  const auto gauge = MetricType::Gauge;
  const auto counter = MetricType::Counter;
  for_mounts(to, status, gauge, "complete", "1 once all contents are there.",
             [](const auto& m) { return m.complete ? 1 : 0; });
  for_mounts(to, status, gauge, "ready_bytes", "Of the image's contents.",
             [](const auto& m) { return m.bytes_ready; });
  for_mounts(to, status, gauge, "image_bytes", "All contents of the image.",
             [](const auto& m) { return m.bytes_total; });
  for_mounts(to, status, counter, "reads_total", "Reads that passed FUSE.",
             [](const auto& m) { return m.reads; });
  for_mounts(to, status, counter, "read_bytes_total", "Read through FUSE.",
             [](const auto& m) { return m.read_bytes; });
  for_mounts(to, status, counter, "waits_total", "Reads that had to wait for a block.",
             [](const auto& m) { return m.waits; });
  for_mounts(to, status, counter, "misses_total",
             "Blocks that readers waited for and that the hub had to send out of turn.",
             [](const auto& m) { return m.misses; });
  for_mounts(to, status, counter, "wait_seconds_total", "What reads have waited together.",
             [](const auto& m) { return in_seconds(m.wait_total_ms); });
  for_mounts(to, status, gauge, "waiting_reads", "Reads that wait now.",
             [](const auto& m) { return m.waiting.size(); });
  for_mounts(to, status, gauge, "failed_blocks", "Blocks whose readers get EIO.",
             [](const auto& m) { return m.failed_blocks; });
}

/// One family over all hubs that this one joins: its samples stand together.
template <class Value>
void for_peers(scrape& to, const admin_hub_status& status, MetricType type, const std::string& name,
               const std::string& help, Value value) {
  for (const auto& peer : status.peers)
    to.add(type, "peer_" + name, help, static_cast<double>(value(peer)), {{"peer", peer.address}});
}

void add_peers(scrape& to, const admin_hub_status& status) {
  const auto gauge = MetricType::Gauge;
  const auto counter = MetricType::Counter;
  for_peers(to, status, gauge, "up", "1 while this hub has joined that one.",
            [](const auto& p) { return p.state == "up" ? 1 : 0; });
  for_peers(to, status, gauge, "last_exchange_timestamp_seconds",
            "When that hub has last answered well, since the epoch; 0: not yet.",
            [](const auto& p) { return p.exchanged_at; });
  for_peers(to, status, counter, "traces_sent_total", "Traces that hub has taken.",
            [](const auto& p) { return p.traces_sent; });
  for_peers(to, status, counter, "traces_received_total", "Traces fetched from that hub.",
            [](const auto& p) { return p.traces_fetched; });
}

}  // namespace

std::string metrics_text(const admin_node_status& status) {
  scrape to;
  add_build(to, status.version, status.uptime_ms);
  to.gauge("link_up", "1 while the node has joined its hub.", status.link.state == "up" ? 1 : 0);
  to.counter("link_reconnects_total", "Joins after the first.", status.link.reconnects);
  to.counter("link_received_bytes_total", "Of frames, tables of contents and padding.",
             status.link.bytes_received);
  to.gauge("link_round_trip_seconds", "Smoothed, as the kernel measured it.",
           static_cast<double>(status.link.round_trip_us) / 1e6);
  to.gauge("images", "Images that this node has, whole or in part.", status.images);
  to.gauge("images_complete", "Images of which all contents are there.", status.images_complete);
  to.gauge("store_bytes", "Contents on disk.", status.store_bytes);
  to.gauge("store_limit_bytes", "store_bytes_max; 0: none.", status.store_bytes_max);
  to.counter("verification_failures_total", "Segments that did not match and were asked for again.",
             status.verification_failures);
  std::size_t running = 0;
  for (const auto& delivery : status.deliveries)
    running += delivery.state == "receiving" || delivery.state == "resolving" ? 1 : 0;
  to.gauge("deliveries_running", "Images that are arriving.", running);
  to.gauge("traces_unsent", "Traces on disk until the hub has them.", status.traces_unsent);
  to.counter("traces_sent_total", "Traces that the hub has taken.", status.traces_sent);
  to.counter("traces_refused_total", "Traces that the hub refused for good.", status.traces_refused);
  to.gauge("snapshots", "Snapshots kept for containerd.", status.snapshots.count);
  to.gauge("snapshots_remote", "Those that are layers from the hub.", status.snapshots.remote);
  to.counter("snapshot_layers_prepared_total", "Layers that containerd did not download.",
             status.snapshots.prepared);
  to.counter("snapshot_fallbacks_total", "Downloads of images by containerd itself.",
             status.snapshots.fallbacks);
  to.gauge("mounts", "Mounts of this node.", status.mounts.size());
  add_mounts(to, status);
  return to.text();
}

std::string metrics_text(const admin_hub_status& status) {
  scrape to;
  add_build(to, status.version, status.uptime_ms);
  to.gauge("images", "Images in the catalogue.", status.images);
  to.gauge("contents", "Contents in the store, each once.", status.contents);
  to.gauge("store_bytes", "Contents on disk.", status.store_bytes);
  to.gauge("store_limit_bytes", "store_bytes_max; 0: none.", status.store_bytes_max);
  to.counter("segments_made_total", "Segments that were compressed.", status.segments_made);
  to.counter("segments_reused_total", "Segments that were taken from the cache.", status.segments_reused);
  to.counter("segments_dense_total", "Segments that were packed anew, smaller, before anybody wanted them.",
             status.segments_dense);
  to.gauge("connections", "Open connections of nodes.", status.connections);
  to.gauge("nodes", "Joined nodes.", status.nodes.size());
  to.gauge("ingestions_running", "Images that are being taken in.", status.ingestions.size());
  to.gauge("images_last_known", "Images whose tag could not be checked lately.", status.last_known.size());
  to.counter("traces_received_total", "Traces that were taken.", status.traces_received);
  to.counter("traces_refused_total", "Traces that were refused.", status.traces_refused);
  to.counter("orders_learned_total", "Orders of images that new traces have changed.", status.orders_learned);
  to.gauge("joined_hubs", "Other hubs that have joined this one.", status.joined_hubs);
  add_peers(to, status);
  std::size_t deliveries = 0;
  for (const auto& node : status.nodes) deliveries += node.deliveries.size();
  to.gauge("deliveries_running", "Images that are being sent.", deliveries);
  for (const auto& node : status.nodes)
    to.counter("node_sent_bytes_total", "Sent to this node since it joined.", node.bytes_sent,
               {{"node", node.name}});
  for (const auto& node : status.nodes)
    to.gauge("node_round_trip_seconds", "Smoothed, as the kernel measured it.",
             static_cast<double>(node.round_trip_us) / 1e6, {{"node", node.name}});
  return to.text();
}

}  // namespace firstlight
