#pragma once
#include <vector>

#include "model/layer_entry.hpp"

namespace firstlight {

/// Serializes the entries of one layer.
[[nodiscard]] std::vector<std::byte> encode_layer(const std::vector<layer_entry>& entries);

/// Errors: `corrupt`, `protocol` for another version.
[[nodiscard]] result<std::vector<layer_entry>> decode_layer(bytes_view message);

}  // namespace firstlight
