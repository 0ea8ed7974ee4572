#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "model/bytes.hpp"
#include "schemas/mount_record.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

/// A FUSE session whose process has ended while its device stayed open: the kernel waits for answers.
struct kept_session {
  std::shared_ptr<const file_descriptor> device;
  shared_bytes init;                         ///< the kernel's FUSE_INIT message, which it sends only once
  std::optional<shared_bytes> unanswered{};  ///< as fuse_mount_session::leave_behind told, if it did
};

/// A mount that an earlier process of this node has made.
struct kept_mount {
  std::string name;
  mount_record record;
  kept_session session;        ///< without a device: none is needed
  bool must_be_whole = false;  ///< what it lacks cannot reach it any more
};

/// Below the run folder: one folder a mount.
inline constexpr const char* private_mounts_folder = "lower";

/// Where a mount that needs no session keeps its encoded mount_record, in its folder below the mounts folder,
/// for as long as it is mounted.
[[nodiscard]] inline std::filesystem::path record_file(const std::filesystem::path& private_folder) {
  return private_folder / "record";
}

}  // namespace firstlight
