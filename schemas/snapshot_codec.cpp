#include "schemas/snapshot_codec.hpp"

#include "schemas/capnp_message.hpp"
#include "schemas/snapshot.capnp.h"

namespace firstlight {
namespace {

result<snapshot_record> read_snapshot(wire::Snapshot::Reader from) {
  snapshot_record record{.id = from.getId(),
                         .name = detail::as_text(from.getName()),
                         .parent = detail::as_text(from.getParent()),
                         .kind = static_cast<snapshot_kind>(from.getKind()),
                         .created_at_ns = from.getCreatedAt(),
                         .updated_at_ns = from.getUpdatedAt(),
                         .usage = {from.getUsedBytes(), from.getUsedInodes()}};
  for (const auto label : from.getLabels())
    record.labels.emplace(detail::as_text(label.getKey()), detail::as_text(label.getValue()));
  if (from.getReference().size() > 0) {
    const auto manifest = digest_from_bytes(detail::as_bytes(from.getManifest()));
    if (!manifest) return tl::unexpected(manifest.error());
    record.remote = remote_layers{detail::as_text(from.getReference()), *manifest,
                                  detail::as_text(from.getPlatform()), from.getLayers(), from.getLayersOf()};
  }
  const bool kind_known = from.getKind() >= 1 && from.getKind() <= 3;
  const bool remote_fits =
      !record.remote || (record.kind == snapshot_kind::committed && record.remote->layers >= 1 &&
                         record.remote->layers <= record.remote->of);
  if (record.id == 0 || record.name.empty() || record.name == record.parent || !kind_known || !remote_fits)
    return fail(errc::corrupt, "the record of a snapshot holds odd values");
  return record;
}

}  // namespace

std::vector<std::byte> encode_snapshot(const snapshot_record& record) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::Snapshot>();
  to.setId(record.id);
  to.setName(detail::text_data(record.name));
  to.setParent(detail::text_data(record.parent));
  to.setKind(static_cast<std::uint8_t>(record.kind));
  auto labels = to.initLabels(static_cast<unsigned>(record.labels.size()));
  unsigned next = 0;
  for (const auto& [key, value] : record.labels) {
    labels[next].setKey(detail::text_data(key));
    labels[next++].setValue(detail::text_data(value));
  }
  to.setCreatedAt(record.created_at_ns);
  to.setUpdatedAt(record.updated_at_ns);
  to.setUsedBytes(record.usage.bytes);
  to.setUsedInodes(record.usage.inodes);
  if (record.remote) {
    to.setReference(detail::text_data(record.remote->reference));
    to.setManifest(detail::as_data(record.remote->manifest));
    to.setPlatform(detail::text_data(record.remote->platform));
    to.setLayers(record.remote->layers);
    to.setLayersOf(record.remote->of);
  }
  return detail::flat_bytes(message);
}

result<snapshot_record> decode_snapshot(bytes_view message) {
  return detail::decode_message<wire::Snapshot>(message, read_snapshot);
}

}  // namespace firstlight
