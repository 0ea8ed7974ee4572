#pragma once
#include <cstdint>

namespace firstlight {

/// Limits of the EROFS images that are written from tables of contents.
struct erofs_limits {
  /// One image. A file takes about 200 bytes, so this is some 20 million; but a few bytes of a table of
  /// contents from an evil hub can name the same 64 KiB over and over.
  std::uint64_t image_bytes_max = 4ULL << 30U;
  /// Plans that are made before a mount asks for them: how many are kept, each some 30 bytes a file and the
  /// table of contents, and from how many files on a mount makes its own.
  std::uint32_t planned_ahead_max = 4;
  std::uint32_t planned_ahead_inodes_max = 200'000;
};

}  // namespace firstlight
