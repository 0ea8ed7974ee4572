#pragma once
#include <memory>
#include <optional>

#include "config/ingest_limits.hpp"
#include "model/layer_entry.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

/// One header of a tar with all that extends it.
struct tar_entry {
  layer_entry entry;       ///< without content
  std::uint64_t size = 0;  ///< bytes that `read` will give: a sparse file's holes included
};

/// Reads a tar as it streams by: v7, ustar, PAX and GNU, with sparse files (GNU, PAX 0.0, 0.1, 1.0). Names
/// are bytes. Semantics are those of Go's archive/tar, which umoci, containerd and Docker read layers with,
/// so that odd archives mean the same here. One thread.
class tar_reader {
 public:
  /// Both outlive the reader.
  tar_reader(byte_source& source, const ingest_limits& limits);
  ~tar_reader();

  /// Skips what is left of the last entry and reads the next; nothing at the archive's end (two zero blocks,
  /// or the end of the stream at an entry's boundary). Errors: `corrupt`, `limit_exceeded`, `unsupported` for
  /// types no file system has, and the source's.
  result<std::optional<tar_entry>> next();

  /// The current entry's bytes, as `byte_source::read`.
  result<std::size_t> read(std::span<std::byte> into);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
