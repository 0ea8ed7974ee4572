#include "schemas/capnp_message.hpp"
#include "schemas/image_record.capnp.h"
#include "schemas/image_record.hpp"

namespace firstlight {

std::vector<std::byte> encode_image_record(const image_record& record) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::ImageRecord>();
  root.setReference(record.reference);
  root.setPlatform(record.platform);
  root.setSource(record.source);
  root.setToc(detail::as_data(record.toc.value));
  root.setTopDigest(detail::as_data(record.top_digest));
  root.setManifestDigest(detail::as_data(record.manifest_digest));
  root.setCompressedBytes(record.compressed_bytes);
  root.setContentBytes(record.content_bytes);
  root.setFiles(record.files);
  root.setLayers(record.layers);
  root.setAddedAt(record.added_at);
  root.setLastUsedAt(record.last_used_at);
  root.setCheckedAt(record.checked_at);
  root.setComplete(record.complete);
  return detail::flat_bytes(message);
}

result<image_record> decode_image_record(bytes_view message) {
  return detail::decode_message<wire::ImageRecord>(message, [](auto root) -> result<image_record> {
    const auto toc = digest_from_bytes(detail::as_bytes(root.getToc()));
    const auto manifest = digest_from_bytes(detail::as_bytes(root.getManifestDigest()));
    const auto top = digest_from_bytes(detail::as_bytes(root.getTopDigest()));
    if (!toc || !manifest || !top) return fail(errc::corrupt, "image record without digests");
    return image_record{.reference = root.getReference().cStr(),
                        .platform = root.getPlatform().cStr(),
                        .source = root.getSource().cStr(),
                        .toc = {*toc},
                        .top_digest = *top,
                        .manifest_digest = *manifest,
                        .compressed_bytes = root.getCompressedBytes(),
                        .content_bytes = root.getContentBytes(),
                        .files = root.getFiles(),
                        .layers = root.getLayers(),
                        .added_at = root.getAddedAt(),
                        .last_used_at = root.getLastUsedAt(),
                        .checked_at = root.getCheckedAt(),
                        .complete = root.getComplete()};
  });
}

content_order as_content_order(const stored_order& order) {
  return {order.runs, order.guessed, order.positions};
}

std::vector<std::byte> encode_order(const stored_order& order) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::StoredOrder>();
  auto runs = root.initRuns(static_cast<unsigned>(order.runs.size()));
  for (unsigned i = 0; i < runs.size(); ++i) {
    runs[i].setContent(order.runs[i].content);
    runs[i].setFirst(order.runs[i].first);
    runs[i].setCount(order.runs[i].count);
  }
  root.setGuessed(order.guessed);
  root.setTraces(order.traces);
  root.setRelative(order.relative);
  auto positions = root.initPositionsMs(static_cast<unsigned>(order.positions.size()));
  for (unsigned i = 0; i < positions.size(); ++i)
    positions.set(i, static_cast<std::uint32_t>(order.positions[i].count()));
  auto percents = root.initReadPercents(static_cast<unsigned>(order.read_percents.size()));
  for (unsigned i = 0; i < percents.size(); ++i) percents.set(i, order.read_percents[i]);
  return detail::flat_bytes(message);
}

result<stored_order> decode_order(bytes_view message) {
  return detail::decode_message<wire::StoredOrder>(message, [](auto root) -> result<stored_order> {
    stored_order order;
    order.runs.reserve(root.getRuns().size());
    for (auto run : root.getRuns()) order.runs.push_back({run.getContent(), run.getFirst(), run.getCount()});
    order.guessed = std::min(root.getGuessed(), static_cast<std::uint32_t>(order.runs.size()));
    order.traces = root.getTraces();
    order.relative = root.getRelative().cStr();
    for (const auto position : root.getPositionsMs()) order.positions.emplace_back(position);
    for (const auto percent : root.getReadPercents()) order.read_percents.push_back(percent);
    return order;
  });
}

}  // namespace firstlight
