#pragma once
#include "schemas/admin.hpp"

/// Included by admin_fields.hpp, in its namespace's terms.
namespace firstlight::detail {

template <class Io>
void fields(Io& io, accessed<Io, admin_image>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("manifest", v.manifest);
  io("toc", v.toc);
  io("source", v.source);
  io("compressed_bytes", v.compressed_bytes);
  io("content_bytes", v.content_bytes);
  io("toc_bytes", v.toc_bytes);
  io("files", v.files);
  io("layers", v.layers);
  io("added_at", v.added_at);
  io("checked_at", v.checked_at);
  io("last_known", v.last_known);
  io("last_error", v.last_error);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_layer>& v) {
  io("digest", v.digest);
  io("bytes", v.bytes);
  io("media_type", v.media_type);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_add>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
  io("name", v.name);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_show>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_remove>& v) {
  io("reference", v.reference);
  io("platform", v.platform);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_list>& v) {
  io("images", v.images);
}

template <class Io>
void fields(Io& io, accessed<Io, admin_image_detail>& v) {
  io("image", v.image);
  io("manifest_json", v.manifest_json);
  io("config_json", v.config_json);
  io("layers", v.layers);
}

}  // namespace firstlight::detail
