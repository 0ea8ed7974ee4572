#include "actors/hub/hub_reports.hpp"

#include <algorithm>
#include <span>

#include "model/shell_word.hpp"
#include "storage/oci/manifest_json.hpp"

namespace firstlight {
namespace {

std::uint64_t milliseconds(std::chrono::milliseconds span) {
  return static_cast<std::uint64_t>(span.count());
}

admin_delivery report(const delivery_report& running) {
  const auto& counters = running.counters;
  return {.id = running.id,
          .reference = running.reference,
          .platform = running.platform,
          .toc = running.toc.value.hex(),
          .state = "sending",
          .bytes_received = running.wire_bytes,
          .bytes_stored = counters.bytes_answered,
          .bytes_total = counters.bytes_total,
          .segments_received = counters.segments_sent,
          .segments_total = running.segments_total,
          .rate_bytes_per_second = running.wire_bytes_per_second,
          .wants = running.wants,
          .verification_failures = counters.segments_failed,
          .elapsed_ms = milliseconds(running.elapsed),
          .last_known = running.last_known};
}

}  // namespace

delivery_report describe(std::uint64_t id, const running_delivery& running, instant now) {
  return {id,
          running.image.record.reference,
          running.platform,
          running.image.record.toc,
          running.core.counters(),
          running.wire_bytes,
          running.rate.bytes_per_second(now),
          running.segments_total,
          running.wants,
          running.image.last_known,
          std::chrono::duration_cast<std::chrono::milliseconds>(now - running.since)};
}

std::string report_unreadable(const std::vector<unreadable_record>& images) {
  if (images.empty()) return {};
  const auto& first = images.front();
  const auto command =
      "firstlight image rm " + shell_word(first.name) + " --platform " + shell_word(first.platform);
  return tell_unreadable(
      images, "the hub's images",
      "remove each and add it again; until then no contents go" + tell_to_forget(images, command));
}

admin_image report(const image_record& record) {
  return {.reference = record.reference,
          .platform = record.platform,
          .manifest = record.manifest_digest.hex(),
          .toc = record.toc.value.hex(),
          .source = record.source,
          .compressed_bytes = record.compressed_bytes,
          .content_bytes = record.content_bytes,
          .files = record.files,
          .layers = record.layers,
          .added_at = record.added_at,
          .checked_at = record.checked_at};
}

admin_image report(const known_image& image) {
  auto said = report(image.record);
  said.last_known = image.last_known;
  said.last_error = image.last_error;
  if (image.toc) said.toc_bytes = image.toc->message().size() + image.toc->content_ids().size();
  return said;
}

result<admin_image_detail> report_detail(const known_image& image) {
  admin_image_detail said{
      report(image), std::string(image.toc->manifest_json()), std::string(image.toc->config_json()), {}};
  const auto manifest = parse_image_manifest(said.manifest_json);
  if (!manifest) return fail(manifest.error(), image.record.reference);
  const auto count =
      std::min<std::size_t>(image.record.layers, manifest->layers.size());  // maybe the lowest only
  for (const auto& layer : std::span(manifest->layers).first(count))
    said.layers.push_back({layer.id.hex(), layer.size, layer.media_type});
  return said;
}

admin_ingestion report(const ingestion_status& status) {
  return {status.reference,     status.platform,       status.progress.stage,
          status.progress.done, status.progress.total, milliseconds(status.elapsed)};
}

admin_session report(const session_report& session, const node_identity& who) {
  admin_session said{.name = who.name,
                     .address = who.address,
                     .version = who.software_version,
                     .joined_at = session.joined_at,
                     .bytes_sent = session.wire_bytes,
                     .bytes_in_flight = session.in_flight_bytes,
                     .credit_bytes = session.window_bytes,
                     .round_trip_us = static_cast<std::uint64_t>(session.bulk.round_trip.count()),
                     .bulk_connections = session.bulk.connections,
                     .congestion_control = session.bulk.congestion_control};
  for (const auto& running : session.deliveries) said.deliveries.push_back(report(running));
  return said;
}

}  // namespace firstlight
