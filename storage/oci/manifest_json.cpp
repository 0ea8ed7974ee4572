#include "storage/oci/manifest_json.hpp"

#include "schemas/json.hpp"

namespace firstlight {
namespace {

using detail::json;
using detail::member;
using detail::text_member;

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";

result<blob_descriptor> read_descriptor(const json& object, std::string_view what) {
  blob_descriptor blob;
  blob.media_type = text_member(object, "mediaType");
  auto id = parse_oci_digest(text_member(object, "digest"));
  if (!id) return fail(id.error(), what);
  blob.id = *id;
  const json& size = member(object, "size");
  if (!size.is_number_unsigned()) return fail(errc::corrupt, std::string(what) + " has no size");
  blob.size = size.get<std::uint64_t>();
  return blob;
}

std::optional<platform> read_platform(const json& object) {
  if (!object.is_object()) return std::nullopt;
  return platform{.os = text_member(object, "os"),
                  .architecture = text_member(object, "architecture"),
                  .variant = text_member(object, "variant")};
}

result<void> check_layer(const blob_descriptor& layer) {
  const std::string& type = layer.media_type;
  const auto refuse = [&type](const char* why) {
    return fail(errc::unsupported, "a layer of type '" + type.substr(0, 100) + "' " + why);
  };
  if (type.find("encrypted") != std::string::npos) return refuse("is encrypted");
  if (type.find("tar") == std::string::npos) return refuse("is no tar");
  return {};
}

json descriptor_json(const blob_descriptor& blob) {
  return {{"mediaType", blob.media_type}, {"digest", blob.id.oci()}, {"size", blob.size}};
}

}  // namespace

result<bool> is_image_index(std::string_view text) {
  auto root = detail::parse_json_object(text, "the manifest");
  if (!root) return tl::unexpected(root.error());
  if (member(*root, "schemaVersion") == 1) {
    return fail(errc::unsupported, "the manifest is of Docker's first schema, which has no digests");
  }
  const std::string type = text_member(*root, "mediaType");
  if (type.find("index") != std::string::npos || type.find("manifest.list") != std::string::npos) return true;
  return type.empty() && member(*root, "manifests").is_array();
}

result<std::vector<index_entry>> parse_image_index(std::string_view text) {
  auto root = detail::parse_json_object(text, "the image index");
  if (!root) return tl::unexpected(root.error());
  std::vector<index_entry> entries;
  const json& manifests = member(*root, "manifests");
  if (!manifests.is_array()) return fail(errc::corrupt, "the image index lists no manifests");
  for (const json& object : manifests) {
    auto blob = read_descriptor(object, "the image index");
    if (!blob && blob.error().code == errc::unsupported) continue;
    if (!blob) return tl::unexpected(blob.error());
    const json& annotations = member(object, "annotations");
    entries.push_back({.blob = std::move(*blob),
                       .target = read_platform(member(object, "platform")),
                       .reference_name = text_member(annotations, "org.opencontainers.image.ref.name")});
  }
  return entries;
}

result<image_manifest> parse_image_manifest(std::string_view text) {
  auto root = detail::parse_json_object(text, "the image manifest");
  if (!root) return tl::unexpected(root.error());
  image_manifest manifest;
  auto config = read_descriptor(member(*root, "config"), "the image manifest's config");
  if (!config) return tl::unexpected(config.error());
  manifest.config = std::move(*config);
  const json& layers = member(*root, "layers");
  if (!layers.is_array()) return fail(errc::corrupt, "the image manifest lists no layers");
  for (const json& object : layers) {
    auto layer = read_descriptor(object, "a layer in the image manifest");
    if (!layer) return tl::unexpected(layer.error());
    if (auto ok = check_layer(*layer); !ok) return tl::unexpected(ok.error());
    manifest.layers.push_back(std::move(*layer));
  }
  return manifest;
}

std::string make_image_manifest(const image_manifest& manifest) {
  json layers = json::array();
  for (const auto& layer : manifest.layers) layers.push_back(descriptor_json(layer));
  return json{{"schemaVersion", 2},
              {"mediaType", manifest_type},
              {"config", descriptor_json(manifest.config)},
              {"layers", std::move(layers)}}
      .dump();
}

}  // namespace firstlight
