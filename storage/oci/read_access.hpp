#pragma once
#include "storage/oci/open_source.hpp"

namespace firstlight {

/// Asks a registry whether an image may be read by the login that `options` name: by the head of its
/// manifest, which brings no contents. Blocks. Errors: `denied` and `not_found`: it may not, and what to do;
/// those of a registry that cannot be asked.
[[nodiscard]] result<void> check_read_access(const image_reference& image, const source_options& options);

}  // namespace firstlight
