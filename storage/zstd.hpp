#pragma once
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// One zstd frame over `bytes`. `level` is 1 to 19. Any thread; each thread reuses one context.
/// Errors: `invalid_argument` for a level that zstd does not know.
[[nodiscard]] result<std::vector<std::byte>> compress(bytes_view bytes, int level);

/// One frame that refers to `base` (zstd --patch-from): small when `bytes` resemble `base`.
[[nodiscard]] result<std::vector<std::byte>> compress_patch(bytes_view bytes, bytes_view base, int level);

/// Unpacks one frame that must give exactly `size` bytes and end with `frame`; no claim inside the frame
/// makes it allocate more. Errors: `corrupt`.
[[nodiscard]] result<std::vector<std::byte>> decompress(bytes_view frame, std::size_t size);
[[nodiscard]] result<std::vector<std::byte>> decompress_patch(bytes_view frame, bytes_view base,
                                                              std::size_t size);

}  // namespace firstlight
