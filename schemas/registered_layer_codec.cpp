#include <algorithm>

#include "schemas/capnp_message.hpp"
#include "schemas/registered_layer.capnp.h"
#include "schemas/registered_layer.hpp"

namespace firstlight {
namespace {

result<layer_record> read_record(wire::RegisteredLayer::Reader from) {
  layer_record record;
  record.id = {from.getId()};
  record.name = detail::as_text(from.getName());
  record.path = detail::as_text(from.getPath());
  record.access = static_cast<layer_access>(from.getAccess());
  record.progress = static_cast<layer_progress>(from.getProgress());
  record.created_at = from.getCreatedAt();
  record.used_at = from.getUsedAt();
  record.references = from.getReferences();
  for (const auto label : from.getLabels())
    record.labels.emplace_back(detail::as_text(label.getKey()), detail::as_text(label.getValue()));
  const auto is_one_or_two = [](auto value) { return value == 1 || value == 2; };
  if (record.id.value == 0 || record.name.empty() || !record.path.starts_with('/') ||
      !is_one_or_two(from.getAccess()) || !is_one_or_two(from.getProgress()) ||
      !std::is_sorted(record.labels.begin(), record.labels.end()))
    return fail(errc::corrupt, "a layer's record holds odd values");
  if (from.getToc().size() == 0) return record;
  const auto toc = digest_from_bytes(detail::as_bytes(from.getToc()));
  if (!toc) return tl::make_unexpected(toc.error());
  record.toc = toc_id{*toc};
  return record;
}

}  // namespace

std::vector<std::byte> encode_layer_record(const layer_record& record) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::RegisteredLayer>();
  to.setId(record.id.value);
  to.setName(detail::text_data(record.name));
  to.setPath(detail::text_data(record.path));
  to.setAccess(static_cast<std::uint8_t>(record.access));
  to.setProgress(static_cast<std::uint8_t>(record.progress));
  if (record.toc) to.setToc(detail::as_data(record.toc->value));
  auto labels = to.initLabels(static_cast<unsigned>(record.labels.size()));
  for (unsigned i = 0; i < labels.size(); ++i) {
    labels[i].setKey(detail::text_data(record.labels[i].first));
    labels[i].setValue(detail::text_data(record.labels[i].second));
  }
  to.setCreatedAt(record.created_at);
  to.setUsedAt(record.used_at);
  to.setReferences(record.references);
  return detail::flat_bytes(message);
}

result<layer_record> decode_layer_record(bytes_view message) {
  return detail::decode_message<wire::RegisteredLayer>(message, read_record);
}

}  // namespace firstlight
