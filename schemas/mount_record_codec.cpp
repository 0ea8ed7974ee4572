#include "schemas/capnp_message.hpp"
#include "schemas/keeper.capnp.h"
#include "schemas/mount_record.hpp"

namespace firstlight {
namespace {

result<mount_record> read_record(wire::MountRecord::Reader from) {
  auto image = decode_image_record(detail::as_bytes(from.getImage()));
  if (!image) return tl::unexpected(image.error());
  const auto mode = parse_mount_mode(detail::as_text(from.getMode()));
  if (!mode || *mode == mount_mode::automatic)
    return fail(errc::corrupt, "the record of a mount names no way to mount");
  mount_record record{.image = std::move(*image),
                      .target = detail::as_text(from.getTarget()),
                      .mounted_at = from.getMountedAt(),
                      .writable = {},
                      .named = from.getNamed(),
                      .mode = *mode,
                      .made_target = from.getMadeTarget(),
                      .for_overlays = from.getForOverlays()};
  const auto layer = from.getWritableLayer();
  const auto path = detail::as_text(from.getWritablePath());
  if (!record.target.starts_with('/') || (layer != 0) != path.starts_with('/'))
    return fail(errc::corrupt, "the record of a mount holds odd values");
  if (layer != 0) record.writable = {{layer}, path};
  return record;
}

}  // namespace

std::vector<std::byte> encode_mount_record(const mount_record& record) {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<wire::MountRecord>();
  to.setImage(detail::as_data(encode_image_record(record.image)));
  to.setTarget(detail::text_data(record.target));
  to.setMountedAt(record.mounted_at);
  if (record.writable) {
    to.setWritableLayer(record.writable->layer.value);
    to.setWritablePath(detail::text_data(record.writable->path));
  }
  to.setNamed(record.named);
  to.setMadeTarget(record.made_target);
  to.setForOverlays(record.for_overlays);
  to.setMode(detail::text_data(to_string(record.mode)));
  return detail::flat_bytes(message);
}

result<mount_record> decode_mount_record(bytes_view message) {
  return detail::decode_message<wire::MountRecord>(message, read_record);
}

}  // namespace firstlight
