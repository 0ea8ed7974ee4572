#pragma once
#include <cstddef>
#include <string_view>

namespace firstlight {

/// Bytes of the valid UTF-8 sequence at the start of `text`; 0 if there is none.
[[nodiscard]] std::size_t utf8_sequence_bytes(std::string_view text);

/// Whether all of `text` is UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace firstlight
