#pragma once
#include <filesystem>

#include "model/bytes.hpp"

namespace firstlight {

/// Replaces `path` as a whole: temporary file, fsync, rename, fsync of the folder. Errors: as `from_errno`
/// (posix_file.hpp).
result<void> write_file_durably(const std::filesystem::path& path, bytes_view bytes);

/// The same without waiting for the disk: after a power cut the file may be empty or the former one.
result<void> write_file(const std::filesystem::path& path, bytes_view bytes);

/// The whole file, mapped read-only and page-aligned. Errors: as `from_errno`; an empty file is `corrupt`.
result<shared_bytes> map_file(const std::filesystem::path& path);

}  // namespace firstlight
