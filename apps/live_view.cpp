#include "apps/live_view.hpp"

#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

constexpr std::size_t bar_width = 20;

std::string duration_of(std::uint64_t milliseconds) {
  return rounded_duration(std::chrono::milliseconds(milliseconds));
}

bool running(const admin_delivery& delivery) {
  return delivery.state != "complete" && delivery.state != "failed" && delivery.state != "cancelled";
}

void add_delivery(table& rows, const std::string& node, const admin_delivery& delivery) {
  rows.add({node, delivery.reference, progress_bar(delivery.bytes_stored, delivery.bytes_total, bar_width),
            percent(delivery.bytes_stored, delivery.bytes_total),
            rounded_bytes(delivery.rate_bytes_per_second) + "/s", std::to_string(delivery.wants),
            delivery.state});
}

std::string waiting_text(const admin_mount& mount) {
  std::string text;
  for (const auto& one : mount.waiting)
    text += "  waits " + duration_of(one.waiting_ms) + "  " + printable(mount.name) + "  process " +
            std::to_string(one.pid) + "  " + printable(one.path) + "  " + printable(one.cause) + "\n";
  return text;
}

}  // namespace

std::string progress_bar(std::uint64_t done, std::uint64_t total, std::size_t width) {
  const auto share = total == 0 ? 0.0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  return "[" + std::string(full, '#') + std::string(width - full, '.') + "]";
}

std::string live_view(const admin_node_status& status, std::int64_t now) {
  auto text = "node " + printable(status.name) + "  link " + status.link.state + "  " +
              rounded_bytes(status.store_bytes) + " stored  " + std::to_string(status.images_complete) +
              " of " + std::to_string(status.images) + " images complete\n\n";
  table deliveries({"DELIVERY", "IMAGE", "PROGRESS", "", "RATE", "ASKED FOR", "STATE"});
  for (const auto& delivery : status.deliveries)
    if (running(delivery)) add_delivery(deliveries, std::to_string(delivery.id), delivery);
  text += deliveries.text() + "\n";
  table mounts({"MOUNT", "IMAGE", "THERE", "", "READS", "WAITS", "MISSES", "LONGEST", "MOUNTED"});
  for (const auto& mount : status.mounts)
    mounts.add({mount.name, mount.reference, progress_bar(mount.bytes_ready, mount.bytes_total, bar_width),
                percent(mount.bytes_ready, mount.bytes_total), std::to_string(mount.reads),
                std::to_string(mount.waits), std::to_string(mount.misses), duration_of(mount.wait_longest_ms),
                ago(mount.mounted_at, now)});
  text += mounts.text();
  for (const auto& mount : status.mounts) text += waiting_text(mount);
  return text;
}

std::string live_view(const admin_hub_status& status, std::int64_t now) {
  auto text = "hub " + printable(status.name) + "  " + std::to_string(status.images) + " images  " +
              rounded_bytes(status.store_bytes) + " stored  " + std::to_string(status.segments_made) +
              " segments made, " + std::to_string(status.segments_reused) + " reused\n\n";
  table nodes({"NODE", "ADDRESS", "JOINED", "SENT", "IN FLIGHT", "CREDIT"});
  table deliveries({"NODE", "IMAGE", "PROGRESS", "", "RATE", "ASKED FOR", "STATE"});
  for (const auto& node : status.nodes) {
    nodes.add({node.name, node.address, ago(node.joined_at, now), rounded_bytes(node.bytes_sent),
               rounded_bytes(node.bytes_in_flight), rounded_bytes(node.credit_bytes)});
    for (const auto& delivery : node.deliveries) add_delivery(deliveries, node.name, delivery);
  }
  text += nodes.text() + "\n" + deliveries.text();
  if (status.peers.empty()) return text;
  table peers({"PEER", "NAME", "STATE", "TRACES SENT", "FETCHED", "LAST ERROR"});
  for (const auto& peer : status.peers)
    peers.add({peer.address, peer.name, peer.state, std::to_string(peer.traces_sent),
               std::to_string(peer.traces_fetched), peer.last_error});
  return text + "\n" + peers.text();
}

}  // namespace firstlight
