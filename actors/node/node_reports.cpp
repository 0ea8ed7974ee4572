#include "actors/node/node_reports.hpp"

#include "model/shell_word.hpp"

namespace firstlight {
namespace {

std::uint64_t milliseconds(std::chrono::milliseconds span) {
  return static_cast<std::uint64_t>(span.count());
}

std::string_view to_text(link_state state) {
  switch (state) {
    case link_state::down:
      return "down";
    case link_state::connecting:
      return "connecting";
    case link_state::up:
      return "up";
  }
  return "unknown";
}

}  // namespace

std::string report_unreadable_images(const std::vector<unreadable_record>& images) {
  if (images.empty()) return {};
  const auto& first = images.front();
  const auto command =
      "firstlight evict " + shell_word(first.name) + " --platform " + shell_word(first.platform);
  return tell_unreadable(images, "the node's images",
                         "the next pull or mount of each brings it again" + tell_to_forget(images, command));
}

std::string report_unreadable_layers(const std::vector<unreadable_record>& layers) {
  if (layers.empty()) return {};
  const auto command = "firstlight layer rm " + shell_word(layers.front().name);
  return tell_unreadable(layers, "the node's layers",
                         "they are not served, and their files stay" + tell_to_forget(layers, command));
}

std::string report_unserved_snapshots(const std::vector<unreadable_record>& snapshots,
                                      const std::filesystem::path& folder) {
  if (snapshots.empty()) return {};
  const auto command =
      "firstlight layer rm " + shell_word(std::string(damaged_snapshot_word) + snapshots.front().name);
  return tell_unreadable(
      snapshots, "containerd's snapshots",
      "they are not served, and their files stay in " + folder.string() + tell_to_forget(snapshots, command));
}

admin_delivery report(const receiver_report& delivery) {
  return {.id = delivery.delivery,
          .reference = delivery.reference,
          .platform = delivery.platform,
          .toc = delivery.toc ? delivery.toc->value.hex() : "",
          .state = std::string(to_string(delivery.phase)),
          .stage = delivery.progress.stage,
          .bytes_received = delivery.bytes_received,
          .bytes_stored = delivery.bytes_stored,
          .bytes_total = delivery.bytes_total,
          .segments_received = delivery.segments_received,
          .segments_total = delivery.segments_total,
          .rate_bytes_per_second = delivery.rate_bytes_per_second,
          .wants = delivery.wants,
          .verification_failures = delivery.verification_failures,
          .elapsed_ms = milliseconds(delivery.elapsed),
          .last_known = delivery.last_known,
          .error = delivery.problem};
}

admin_link report(const link_status& link) {
  return {.state = std::string(to_text(link.state)),
          .peer = link.peer,
          .address = link.address,
          .last_error = link.last_error,
          .reconnects = link.reconnects,
          .bytes_received = link.bytes_received,
          .padding_bytes = link.padding_bytes,
          .bulk_connections = link.bulk_connections,
          .congestion_control = link.congestion_control,
          .round_trip_us = static_cast<std::uint64_t>(link.round_trip.count())};
}

admin_mount report(const mount_facts& mount, const instance_status& status, const held_bytes& held) {
  admin_mount said{.name = mount.name,
                   .target = mount.target.string(),
                   .reference = mount.image.record.reference,
                   .platform = mount.image.record.platform,
                   .toc = mount.image.record.toc.value.hex(),
                   .method = mount.method,
                   .read_only = mount.read_only,
                   .complete = status.complete,
                   .bytes_ready = held.ready,
                   .bytes_total = held.total,
                   .requests = status.requests,
                   .reads = status.reads,
                   .read_bytes = status.read_bytes,
                   .waits = status.waits,
                   .misses = status.misses,
                   .wait_longest_ms = milliseconds(status.wait_longest),
                   .wait_total_ms = milliseconds(status.wait_total),
                   .failed_blocks = status.failed_blocks,
                   .last_error = status.last_error,
                   .mounted_at = mount.mounted_at,
                   .mode = std::string(to_string(mount.mode)),
                   .fallback = mount.fallback,
                   .opens_through = status.opens_through,
                   .opens_by_fuse = status.opens_by_fuse,
                   .lower = mount.lower,
                   .failure = mount.failure};
  for (const auto& one : status.waiting)
    said.waiting.push_back(
        {one.thread, one.path, one.offset, one.bytes, milliseconds(one.waiting), one.cause});
  return said;
}

admin_node_image report(const image_record& record, const held_bytes& held, std::uint32_t mounts) {
  return {.reference = record.reference,
          .platform = record.platform,
          .manifest = record.manifest_digest.hex(),
          .toc = record.toc.value.hex(),
          .complete = record.complete,
          .bytes_ready = held.ready,
          .bytes_total = held.total,
          .compressed_bytes = record.compressed_bytes,
          .files = record.files,
          .mounts = mounts,
          .last_used_at = record.last_used_at};
}

}  // namespace firstlight
