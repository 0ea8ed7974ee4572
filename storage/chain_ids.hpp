#pragma once
#include <cstdint>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// The chain ids of an image's layers, the lowest first, from the digests of their tars, as OCI defines them:
/// each names a layer together with all below it.
[[nodiscard]] std::vector<digest> chain_ids(const std::vector<digest>& diff_ids);

/// Stands for the digest of a manifest that would have only the lowest `layers` of another's.
[[nodiscard]] digest layers_digest(const digest& manifest, std::uint32_t layers);

}  // namespace firstlight
