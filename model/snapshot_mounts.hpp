#pragma once
#include "model/snapshot_record.hpp"

namespace firstlight {

inline constexpr const char* snapshots_folder = "snapshots";  ///< of all snapshots, in a node's store

/// One mount as containerd carries it out: type and source of mount(2), options as in fstab.
struct mount_spec {
  std::string type;
  std::string source;
  std::vector<std::string> options;
  friend bool operator==(const mount_spec&, const mount_spec&) = default;
};

/// Where the parts of a snapshot's mount lie.
struct snapshot_places {
  std::string folder;  ///< of all snapshots; each has `<id>/fs`, active ones also `<id>/work`
  /// What the nearest remote layer of the chain shows with all below it, as overlayfs takes it in lowerdir:
  /// `DIR`, or `TREE::CONTENTS::...`. Empty if there are none.
  std::string remote_lower;
};

/// The folder that holds what a snapshot's own layer shows.
[[nodiscard]] std::string snapshot_files(const std::string& folder, std::uint64_t id);
/// The folder that overlayfs works in.
[[nodiscard]] std::string snapshot_work(const std::string& folder, std::uint64_t id);

/// How the root file system of `snapshot`, active or viewed, is put together from its parents, the nearest
/// first. Of parents from the first remote one on nothing is needed but `remote_lower`, also of unpacked
/// ones. A view shows its parents only; without parents its own empty folder. What is written above remote
/// layers is right above the same layers in every mode of mounting: the options are the same in all.
[[nodiscard]] mount_spec snapshot_mount(const snapshot_record& snapshot,
                                        const std::vector<snapshot_record>& parents,
                                        const snapshot_places& places);

/// How many bytes of options mount(2) is given when containerd carries out a mount whose options are long: it
/// then goes to the folder that all lower ones lie in, and names them from there. Without such a folder, as
/// when a tree has its contents elsewhere, they stay as they are.
[[nodiscard]] std::size_t mount_option_bytes(const mount_spec& mount);

}  // namespace firstlight
