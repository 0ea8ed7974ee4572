#pragma once
#include "model/version_map.hpp"
#include "storage/content_store.hpp"

namespace firstlight {

/// How one version of a file corresponds to another, as far as their bytes tell: programs and libraries by
/// their parts and symbols, all else (also what is not complete or damaged) by its length alone. Reads their
/// symbol tables: a millisecond for most.
[[nodiscard]] version_map map_versions(const content_store& contents, const content_info& before,
                                       const content_info& now);

}  // namespace firstlight
