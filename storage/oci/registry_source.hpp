#pragma once
#include "storage/oci/open_source.hpp"

namespace firstlight {

/// An image in a registry, spoken to over the distribution API. Nothing is asked before the first call.
[[nodiscard]] std::unique_ptr<image_source> make_registry_source(const image_reference& reference,
                                                                 const source_options& options);

}  // namespace firstlight
