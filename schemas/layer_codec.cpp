#include "schemas/capnp_message.hpp"
#include "schemas/layer.capnp.h"
#include "schemas/layer.hpp"

namespace firstlight {
namespace {

constexpr std::uint16_t layer_version = 1;

kj::ArrayPtr<const kj::byte> as_data(const std::string& text) {
  return {reinterpret_cast<const kj::byte*>(text.data()), text.size()};
}

std::string as_string(capnp::Data::Reader data) {
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

void write_entry(const layer_entry& entry, wire::LayerEntry::Builder out) {
  out.setPath(as_data(entry.path));
  out.setType(static_cast<std::uint8_t>(entry.type));
  out.setPermissions(entry.permissions);
  out.setUid(entry.uid);
  out.setGid(entry.gid);
  out.setSeconds(entry.modified.seconds);
  out.setNanoseconds(entry.modified.nanoseconds);
  if (!entry.link_target.empty()) out.setLinkTarget(as_data(entry.link_target));
  out.setDeviceMajor(entry.device_major);
  out.setDeviceMinor(entry.device_minor);
  if (entry.content) {
    out.setSize(entry.content->size);
    out.setContent(detail::as_data(entry.content->id.root));
  }
  if (entry.xattrs.empty()) return;
  auto xattrs = out.initXattrs(static_cast<unsigned>(entry.xattrs.size()));
  for (unsigned i = 0; i < xattrs.size(); ++i) {
    xattrs[i].setName(as_data(entry.xattrs[i].name));
    xattrs[i].setValue(as_data(entry.xattrs[i].value));
  }
}

result<layer_entry> read_entry(wire::LayerEntry::Reader in) {
  constexpr auto type_last = static_cast<std::uint8_t>(layer_entry_type::hard_link);
  if (in.getType() == 0 || in.getType() > type_last || in.getNanoseconds() >= 1'000'000'000) {
    return fail(errc::corrupt, "a stored layer's entry is out of range");
  }
  layer_entry entry{.path = as_string(in.getPath()),
                    .type = static_cast<layer_entry_type>(in.getType()),
                    .permissions = static_cast<std::uint16_t>(in.getPermissions() & 07777U),
                    .uid = in.getUid(),
                    .gid = in.getGid(),
                    .modified = {in.getSeconds(), in.getNanoseconds()},
                    .link_target = as_string(in.getLinkTarget()),
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
    entry.xattrs.push_back({as_string(pair.getName()), as_string(pair.getValue())});
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
