#include "storage/chain_ids.hpp"

#include "storage/sha256.hpp"

namespace firstlight {

std::vector<digest> chain_ids(const std::vector<digest>& diff_ids) {
  std::vector<digest> chain;
  chain.reserve(diff_ids.size());
  for (const auto& layer : diff_ids) {
    if (chain.empty()) {
      chain.push_back(layer);
      continue;
    }
    const auto both = chain.back().oci() + " " + layer.oci();
    chain.push_back(sha256(std::as_bytes(std::span(both))));
  }
  return chain;
}

digest layers_digest(const digest& manifest, std::uint32_t layers) {
  const auto text = "the lowest " + std::to_string(layers) + " layers of " + manifest.oci();
  return sha256(std::as_bytes(std::span(text)));
}

}  // namespace firstlight
