#pragma once
#include "model/snapshot_record.hpp"

namespace firstlight {

/// The stored form of a snapshot. Equal values give equal bytes.
[[nodiscard]] std::vector<std::byte> encode_snapshot(const snapshot_record& record);

/// Errors: `corrupt` for what `encode_snapshot` cannot have made.
[[nodiscard]] result<snapshot_record> decode_snapshot(bytes_view message);

}  // namespace firstlight
