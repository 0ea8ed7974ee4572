#include "schemas/capnp_message.hpp"
#include "schemas/layer.capnp.h"
#include "schemas/layer.hpp"

namespace firstlight {
namespace {

constexpr std::uint16_t layer_version = 1;

void write_entry(const layer_entry& entry, wire::LayerEntry::Builder out) {
  out.setPath(detail::text_data(entry.path));
  out.setType(static_cast<std::uint8_t>(entry.type));
  out.setPermissions(entry.permissions);
  out.setUid(entry.uid);
  out.setGid(entry.gid);
  out.setSeconds(entry.modified.seconds);
  out.setNanoseconds(entry.modified.nanoseconds);
  if (!entry.link_target.empty()) out.setLinkTarget(detail::text_data(entry.link_target));
  out.setDeviceMajor(entry.device_major);
  out.setDeviceMinor(entry.device_minor);
  if (entry.content) {
    out.setSize(entry.content->size);
    out.setContent(detail::as_data(entry.content->id.root));
  }
  if (entry.xattrs.empty()) return;
  auto xattrs = out.initXattrs(static_cast<unsigned>(entry.xattrs.size()));
  for (unsigned i = 0; i < xattrs.size(); ++i) {
    xattrs[i].setName(detail::text_data(entry.xattrs[i].name));
    xattrs[i].setValue(detail::text_data(entry.xattrs[i].value));
  }
}

result<layer_entry> read_entry(wire::LayerEntry::Reader in) {
  constexpr auto type_last = static_cast<std::uint8_t>(layer_entry_type::hard_link);
  if (in.getType() == 0 || in.getType() > type_last || in.getNanoseconds() >= 1'000'000'000) {
    return fail(errc::corrupt, "a stored layer's entry is out of range");
  }
  layer_entry entry{.path = detail::as_text(in.getPath()),
                    .type = static_cast<layer_entry_type>(in.getType()),
                    .permissions = static_cast<std::uint16_t>(in.getPermissions() & 07777U),
                    .uid = in.getUid(),
                    .gid = in.getGid(),
                    .modified = {in.getSeconds(), in.getNanoseconds()},
                    .link_target = detail::as_text(in.getLinkTarget()),
                    .device_major = in.getDeviceMajor(),
                    .device_minor = in.getDeviceMinor(),
                    .content = {},
                    .xattrs = {}};
  if (in.getSize() > 0) {
    auto root = digest_from_bytes(detail::as_bytes(in.getContent()));
    if (!root) return tl::unexpected(root.error());
    entry.content = content_info{{*root}, in.getSize()};
  }
  for (auto pair : in.getXattrs())
    entry.xattrs.push_back({detail::as_text(pair.getName()), detail::as_text(pair.getValue())});
  return entry;
}

}  // namespace

std::vector<std::byte> encode_layer(const std::vector<layer_entry>& entries) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<wire::Layer>();
  root.setVersion(layer_version);
  auto list = root.initEntries(static_cast<unsigned>(entries.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_entry(entries[i], list[i]);
  return detail::flat_bytes(message);
}

result<std::vector<layer_entry>> decode_layer(bytes_view message) {
  return detail::decode_message<wire::Layer>(message, [](auto root) -> result<std::vector<layer_entry>> {
    if (root.getVersion() != layer_version) return fail(errc::protocol, "a stored layer of another version");
    std::vector<layer_entry> entries;
    entries.reserve(root.getEntries().size());
    for (auto in : root.getEntries()) {
      auto entry = read_entry(in);
      if (!entry) return tl::unexpected(entry.error());
      entries.push_back(std::move(*entry));
    }
    return entries;
  });
}

}  // namespace firstlight
