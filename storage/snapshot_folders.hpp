#pragma once
#include <filesystem>
#include <set>

#include "model/snapshot_record.hpp"

namespace firstlight {

/// SNAPSHOT FOLDERS: the folders of containerd's snapshots, `<folder>/<id>/fs` and for overlayfs `<id>/work`
/// (model/snapshot_mounts.hpp). All members from any thread, of one id from one at a time; they block on the
/// disk.
class snapshot_folders {
 public:
  /// `folder` is made when needed, closed to all but its owner.
  explicit snapshot_folders(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Makes the folders of a new snapshot, whose root is dressed like `root`; empty: like any new folder
  /// (0755). What is there under this id goes: it is of a snapshot that was never stored. Errors: as
  /// `from_errno`.
  result<void> make(std::uint64_t id, const std::filesystem::path& root);
  /// Errors: as `from_errno`; none when nothing is there.
  result<void> remove(std::uint64_t id);
  /// The ids of which there are folders. Errors: as `from_errno`.
  [[nodiscard]] result<std::set<std::uint64_t>> ids() const;
  /// Removes all but these, and what was set aside. Errors: as `from_errno`.
  result<void> keep_only(const std::set<std::uint64_t>& ids);
  /// Moves these folders into a new one, `<folder>/dropped-<number>`, durably. From then on they are no
  /// snapshots', and nothing here removes them; what is mounted above them goes on. @returns the new one; on
  /// an error some may have been moved. Errors: as `from_errno`.
  result<std::filesystem::path> set_aside(const std::set<std::uint64_t>& ids);
  /// Makes everything durable that was written to any of them. Errors: `io`.
  [[nodiscard]] result<void> sync() const;
  /// What a snapshot's own files take. Those that go meanwhile do not count. Errors: as `from_errno`.
  [[nodiscard]] result<snapshot_usage> measure(std::uint64_t id) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace firstlight
