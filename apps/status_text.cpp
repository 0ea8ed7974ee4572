#include "apps/status_text.hpp"

#include "apps/table.hpp"
#include "model/quantity.hpp"

namespace firstlight {
namespace {

std::string milliseconds_text(std::uint64_t ms) {
  return rounded_duration(std::chrono::milliseconds(ms));
}

std::string round_trip_text(std::uint64_t us) {
  return us < 10'000 ? std::to_string(us) + " us" : milliseconds_text(us / 1000);
}

std::string store_text(std::uint64_t bytes, std::uint64_t bytes_max) {
  return rounded_bytes(bytes) + (bytes_max > 0 ? " of " + rounded_bytes(bytes_max) + " allowed" : "");
}

std::string delivery_text(const admin_delivery& d) {
  auto line = "  " + printable(d.reference) + ": " + d.state;
  if (d.state == "resolving" && !d.stage.empty()) line += " (" + printable(d.stage) + ")";
  line += ", " + percent(d.bytes_stored, d.bytes_total) + " of " + rounded_bytes(d.bytes_total) + ", " +
          rounded_bytes(d.bytes_received) + " on the wire";
  if (d.rate_bytes_per_second > 0) line += " at " + rounded_bytes(d.rate_bytes_per_second) + "/s";
  line += ", " + milliseconds_text(d.elapsed_ms);
  if (d.wants > 0) line += ", " + std::to_string(d.wants) + " asked for out of turn";
  if (d.verification_failures > 0)
    line += ", " + std::to_string(d.verification_failures) + " arrived damaged";
  if (d.last_known) line += ", registry away: last known tag used";
  if (!d.error.empty()) line += ": " + printable(d.error);
  return line + "\n";
}

std::string mount_text(const admin_mount& m, std::int64_t now) {
  auto text =
      "  " + printable(m.name) + "  " + printable(m.reference) + " at " + printable(m.target) + ", mounted " +
      ago(m.mounted_at, now) + "\n    " +
      (m.complete
           ? "complete"
           : "lazy: " + percent(m.bytes_ready, m.bytes_total) + " of " + rounded_bytes(m.bytes_total)) +
      "; " + printable(m.mode) + ": " + m.method + (m.read_only ? ", read-only" : "") +
      (m.fallback.empty() ? "" : " (" + printable(m.fallback) + ")") + "\n    " + std::to_string(m.requests) +
      " FUSE requests, " + std::to_string(m.reads) + " reads, " + std::to_string(m.waits) + " waited for " +
      std::to_string(m.misses) + " blocks, longest " + milliseconds_text(m.wait_longest_ms) + "\n";
  if (!m.failure.empty()) text += "    FAILED: " + printable(m.failure) + "\n";
  if (m.opens_through + m.opens_by_fuse > 0)
    text += "    " + std::to_string(m.opens_through) + " files opened past FUSE, " +
            std::to_string(m.opens_by_fuse) + " through it\n";
  for (const auto& w : m.waiting) {
    text += "    WAITS " + milliseconds_text(w.waiting_ms) + ": process " + std::to_string(w.pid) + ", " +
            printable(w.path) + " at " + std::to_string(w.offset) + " (" + printable(w.cause) + ")\n";
  }
  if (m.failed_blocks > 0) {
    text += "    FAILED " + std::to_string(m.failed_blocks) + " blocks: " + printable(m.last_error) + "\n";
  }
  return text;
}

std::string link_text(const admin_link& link) {
  auto text = "hub " + link.address + ": " + link.state;
  if (!link.peer.empty()) text += ", " + link.peer;
  if (link.state == "up") {
    text += ", round trip " + round_trip_text(link.round_trip_us) + ", " +
            std::to_string(link.bulk_connections) + " bulk connection" +
            (link.bulk_connections == 1 ? "" : "s") + " (" + link.congestion_control + ")";
  }
  text += ", " + rounded_bytes(link.bytes_received) + " received";
  if (link.padding_bytes > 0) text += ", " + rounded_bytes(link.padding_bytes) + " of it padding";
  if (link.reconnects > 0) text += ", " + std::to_string(link.reconnects) + " reconnects";
  text += "\n";
  if (!link.last_error.empty()) text += "  last error: " + printable(link.last_error) + "\n";
  return text;
}

std::string recording_text(const admin_recording& recording) {
  if (recording.mode.empty()) return {};  // a daemon of an earlier version
  auto text = "recording " + printable(recording.mode);
  if (recording.mode == "first") text += " " + std::to_string(recording.starts) + " starts of an image";
  for (const auto& word : recording.words) {
    text += std::string(", ") + (word.on ? "on" : "off") + " for ";
    text += !word.reference.empty() ? printable(word.reference)
            : !word.group.empty()   ? "the group " + printable(word.group)
                                    : "all";
  }
  return text + "\n";
}

std::string notices_text(const std::vector<std::string>& notices) {
  std::string text;
  for (const auto& notice : notices) text += "note: " + printable(notice) + "\n";
  return text;
}

}  // namespace

std::string status_text(const admin_node_status& s, std::int64_t now) {
  auto text = "node " + printable(s.name) + ", version " + s.version + ", up " +
              milliseconds_text(s.uptime_ms) + "\n" + link_text(s.link) + "store " +
              store_text(s.store_bytes, s.store_bytes_max) + ", " + std::to_string(s.images) + " images, " +
              std::to_string(s.images_complete) + " complete, " + std::to_string(s.verification_failures) +
              " verification failures\n";
  if (!s.deliveries.empty()) text += "deliveries\n";
  for (const auto& delivery : s.deliveries) text += delivery_text(delivery);
  if (!s.mounts.empty()) text += "mounts\n";
  for (const auto& mount : s.mounts) text += mount_text(mount, now);
  if (s.traces_sent + s.traces_unsent + s.traces_refused > 0)
    text += "traces " + std::to_string(s.traces_sent) + " sent, " + std::to_string(s.traces_unsent) +
            " to send, " + std::to_string(s.traces_refused) + " refused\n";
  text += recording_text(s.recording);
  if (!s.snapshots.socket.empty())
    text += "snapshots for containerd " + std::to_string(s.snapshots.count) + ", " +
            std::to_string(s.snapshots.remote) + " of them layers from the hub; " +
            std::to_string(s.snapshots.fallbacks) + " downloads of images by containerd itself\n";
  return text + notices_text(s.notices);
}

std::string status_text(const admin_hub_status& s, std::int64_t now) {
  auto text = "hub " + printable(s.name) + ", version " + s.version + ", up " +
              milliseconds_text(s.uptime_ms) + ", listens on " + s.listen + "\nstore " +
              store_text(s.store_bytes, s.store_bytes_max) + ", " + std::to_string(s.images) + " images, " +
              std::to_string(s.contents) + " contents; " + std::to_string(s.segments_made) +
              " segments made, " + std::to_string(s.segments_reused) + " reused, " +
              std::to_string(s.segments_dense) + " packed anew; " + std::to_string(s.connections) +
              " connections, " + std::to_string(s.handshakes_failed) + " failed handshakes\n";
  for (const auto& i : s.ingestions) {
    text += "taking in " + printable(i.reference) + ": " + printable(i.stage) + ", " +
            percent(i.done, i.total) + " of " + rounded_bytes(i.total) + ", " +
            milliseconds_text(i.elapsed_ms) + "\n";
  }
  for (const auto& node : s.nodes) {
    text += "node " + printable(node.name) + " at " + node.address + ", joined " + ago(node.joined_at, now) +
            ", " + rounded_bytes(node.bytes_sent) + " sent, " + rounded_bytes(node.bytes_in_flight) + " of " +
            rounded_bytes(node.credit_bytes) + " credit in flight, round trip " +
            round_trip_text(node.round_trip_us) + ", " + std::to_string(node.bulk_connections) + " x " +
            node.congestion_control + "\n";
    for (const auto& delivery : node.deliveries) text += delivery_text(delivery);
  }
  for (const auto& image : s.last_known) {
    text += "registry away for " + printable(image.reference) + ", checked " + ago(image.checked_at, now) +
            ": " + printable(image.last_error) + "\n";
  }
  for (const auto& peer : s.peers)
    text += "hub " + printable(peer.name.empty() ? peer.address : peer.name + " at " + peer.address) + ": " +
            peer.state + ", " + std::to_string(peer.traces_sent) + " traces sent, " +
            std::to_string(peer.traces_fetched) + " fetched, last exchange " + ago(peer.exchanged_at, now) +
            (peer.last_error.empty() ? "" : " (" + printable(peer.last_error) + ")") + "\n";
  if (s.traces_received + s.traces_refused > 0)
    text += "traces " + std::to_string(s.traces_received) + " received, " + std::to_string(s.traces_refused) +
            " refused\n";
  return text + notices_text(s.notices);
}

std::string sessions_text(const std::vector<admin_session>& sessions, std::int64_t now) {
  if (sessions.empty()) return "no node has joined\n";
  table rows({"NODE", "ADDRESS", "SINCE", "DELIVERIES", "SENT", "IN FLIGHT", "WINDOW", "ROUND TRIP"});
  for (const auto& one : sessions)
    rows.add({one.name, one.address, ago(one.joined_at, now), std::to_string(one.deliveries.size()),
              rounded_bytes(one.bytes_sent), rounded_bytes(one.bytes_in_flight),
              rounded_bytes(one.credit_bytes), round_trip_text(one.round_trip_us)});
  return rows.text();
}

}  // namespace firstlight
