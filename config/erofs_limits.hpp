#pragma once
#include <cstdint>

namespace firstlight {

/// Limits of the EROFS images that are written from tables of contents.
struct erofs_limits {
  /// One image. A file takes about 200 bytes, so this is some 20 million; but a few bytes of a table of
  /// contents from an evil hub can name the same 64 KiB over and over.
  std::uint64_t image_bytes_max = 4ULL << 30U;
};

}  // namespace firstlight
