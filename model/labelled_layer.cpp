#include "model/labelled_layer.hpp"

#include <array>

namespace firstlight {
namespace {

constexpr const char* target_label = "containerd.io/snapshot.ref";
constexpr const char* own_reference = "containerd.io/snapshot/firstlight.image-ref";
constexpr const char* own_group = "containerd.io/snapshot/firstlight.group";
constexpr const char* own_manifest = "containerd.io/snapshot/firstlight.manifest-digest";
constexpr std::array references{own_reference, "containerd.io/snapshot/cri.image-ref",
                                "containerd.io/snapshot/remote/stargz.reference"};
constexpr std::array manifests{own_manifest, "containerd.io/snapshot/cri.manifest-digest"};

template <class Keys>
std::string first_of(const snapshot_labels& labels, const Keys& keys) {
  for (const char* key : keys)
    if (const auto found = labels.find(key); found != labels.end() && !found->second.empty())
      return found->second;
  return {};
}

}  // namespace

std::optional<labelled_layer> labelled_layer_of(const snapshot_labels& labels) {
  labelled_layer layer{first_of(labels, std::array{target_label}), {}, {}};
  const auto reference = parse_image_reference(first_of(labels, references));
  if (layer.target.empty() || !reference || reference->transport != image_transport::registry ||
      reference->layers != 0)
    return std::nullopt;
  layer.reference = reference->text();
  layer.manifest = reference->pinned;
  if (const auto said = parse_oci_digest(first_of(labels, manifests))) layer.manifest = *said;
  if (layer.manifest) layer.reference = *pinned_reference(layer.reference, *layer.manifest);
  return layer;
}

snapshot_labels labels_of(const labelled_layer& layer) {
  snapshot_labels labels{{target_label, layer.target}, {own_reference, layer.reference}};
  if (layer.manifest) labels[own_manifest] = layer.manifest->oci();
  return labels;
}

std::string start_group_of(const snapshot_labels& labels) {
  return first_of(labels, std::array{own_group});
}

bool is_called(const snapshot_record& snapshot, const std::string& chain_id) {
  const auto& name = snapshot.name;
  if (name == chain_id) return true;
  return snapshot.remote ? name.starts_with(chain_id + "~") : name.ends_with("/" + chain_id);
}

std::optional<std::string> pinned_reference(const std::string& reference, const digest& manifest) {
  auto parsed = parse_image_reference(reference);
  if (!parsed || parsed->transport != image_transport::registry) return std::nullopt;
  parsed->tag.clear();
  parsed->layers = 0;
  parsed->pinned = manifest;
  return parsed->text();
}

}  // namespace firstlight
