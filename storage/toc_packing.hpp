#pragma once
#include "config/segment_limits.hpp"
#include "model/transfer.hpp"
#include "schemas/toc.hpp"

namespace firstlight {

/// Packs a TOC for a receiver that has none, or the one in `base` (may be null).
[[nodiscard]] result<toc_frame> pack_toc(bytes_view message, const toc_view* base, int level);

/// Unpacks a TOC and checks it against `expected`, the id that the hub signed. `base` is the TOC that
/// `frame.patch_base` names, null without one. Errors: `corrupt`, `limit_exceeded`, `not_ready` (no base).
[[nodiscard]] result<shared_bytes> unpack_toc(const toc_frame& frame, const toc_id& expected,
                                              const toc_view* base, const segment_limits& limits = {});

}  // namespace firstlight
