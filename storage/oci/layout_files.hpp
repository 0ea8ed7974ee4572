#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "config/ingest_limits.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

/// LAYOUT FILES: named files of a folder or of a tar, read only. One thread.
class layout_files {
 public:
  virtual ~layout_files() = default;
  /// `name` is relative, such as "index.json". Errors: `not_found`, `io`, `corrupt`.
  virtual result<std::unique_ptr<byte_source>> open(const std::string& name) const = 0;
  /// What it is, for errors: the path.
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// Errors: `not_found` if there is no such folder.
[[nodiscard]] result<std::unique_ptr<layout_files>> open_folder(const std::filesystem::path& folder);

/// Reads the archive once to find its files. A compressed one is unpacked into a nameless temporary file in
/// `spool_folder` first. Errors: `not_found`, `io`, `no_space`, `corrupt`, `limit_exceeded`.
[[nodiscard]] result<std::unique_ptr<layout_files>> open_archive(const std::filesystem::path& file,
                                                                 const std::filesystem::path& spool_folder,
                                                                 const ingest_limits& limits);

}  // namespace firstlight
