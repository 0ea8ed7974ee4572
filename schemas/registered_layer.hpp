#pragma once
#include "model/layer_record.hpp"

namespace firstlight {

/// The stored form of a layer record. Equal values give equal bytes.
[[nodiscard]] std::vector<std::byte> encode_layer_record(const layer_record& record);

/// Errors: `corrupt` for what `encode_layer_record` cannot have made.
[[nodiscard]] result<layer_record> decode_layer_record(bytes_view message);

}  // namespace firstlight
