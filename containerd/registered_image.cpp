#include "containerd/registered_image.hpp"

#include "schemas/image_config_json.hpp"
#include "storage/chain_ids.hpp"
#include "storage/oci/manifest_json.hpp"

namespace firstlight {
namespace {

constexpr const char* docker_config = "application/vnd.docker.container.image.v1+json";
constexpr const char* docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr const char* oci_manifest = "application/vnd.oci.image.manifest.v1+json";

/// Layers are named though they are not there: containerd skips what it lacks.
std::map<std::string, std::string> kept_by(const image_manifest& manifest) {
  std::map<std::string, std::string> labels{
      {"containerd.io/gc.ref.content.config", manifest.config.id.oci()}};
  for (std::size_t i = 0; i < manifest.layers.size(); ++i)
    labels["containerd.io/gc.ref.content.l." + std::to_string(i)] = manifest.layers[i].id.oci();
  return labels;
}

}  // namespace

result<image_for_registration> image_for_containerd(const mountable_image& image,
                                                    const std::string& snapshotter) {
  const std::string manifest_json(image.toc->manifest_json());
  const auto manifest = parse_image_manifest(manifest_json);
  if (!manifest) return fail(manifest.error(), "the manifest of " + image.record.reference);
  const auto config = parse_image_config(image.toc->config_json());
  if (!config) return fail(config.error(), "the configuration of " + image.record.reference);
  const auto chain = chain_ids(config->diff_ids);
  if (chain.empty()) return fail(errc::unsupported, image.record.reference + " has no layers");
  const auto* type = manifest->config.media_type == docker_config ? docker_manifest : oci_manifest;
  image_for_registration made{
      .manifest = {type, image.record.manifest_digest, manifest_json, kept_by(*manifest)},
      .config = {manifest->config.media_type,
                 manifest->config.id,
                 std::string(image.toc->config_json()),
                 {{"containerd.io/gc.ref.snapshot." + snapshotter, chain.back().oci()}}},
      .layers = {}};
  for (const auto& layer : chain)
    made.layers.push_back({layer.oci(), image.record.reference, image.record.manifest_digest});
  return made;
}

}  // namespace firstlight
