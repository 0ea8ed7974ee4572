#pragma once
#include "storage/oci/image_source.hpp"
#include "storage/oci/registry_session.hpp"

namespace firstlight {

/// A blob of a registry: asked for at the first read, resumed by range after a cut. `session` outlives it.
/// Ends after as many bytes as the descriptor says.
[[nodiscard]] std::unique_ptr<byte_source> make_registry_blob(registry_session& session,
                                                              blob_descriptor blob);

}  // namespace firstlight
