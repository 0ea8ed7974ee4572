#pragma once
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// The chain ids of an image's layers, the lowest first, from the digests of their tars, as OCI defines them:
/// each names a layer together with all below it.
[[nodiscard]] std::vector<digest> chain_ids(const std::vector<digest>& diff_ids);

}  // namespace firstlight
