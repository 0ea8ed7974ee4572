#pragma once
#include "model/transfer.hpp"

namespace firstlight {

/// Stand-alone bytes of one segment or TOC frame, for bundle files and fuzzing: a `Segment` or `TocFrame`
/// of protocol.capnp. Equal values give equal bytes.
[[nodiscard]] std::vector<std::byte> encode_segment(const segment& value);
[[nodiscard]] std::vector<std::byte> encode_toc_frame(const toc_frame& value);

/// Read what the above wrote. The frame is not copied: it shares the message's owner. `message` is 8-byte
/// aligned. Errors: `corrupt`, `invalid_argument` (alignment).
[[nodiscard]] result<segment> decode_segment(const shared_bytes& message);
[[nodiscard]] result<toc_frame> decode_toc_frame(const shared_bytes& message);

}  // namespace firstlight
