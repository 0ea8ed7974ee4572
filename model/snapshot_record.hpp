#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// The numbers are those of containerd's API and are stored.
enum class snapshot_kind : std::uint8_t { view = 1, active = 2, committed = 3 };

using snapshot_labels = std::map<std::string, std::string>;

/// What an image delivered by the hub shows up to one of its layers.
struct remote_layers {
  std::string reference;     ///< canonical, as the image was pulled; may mean another image by now
  digest manifest;           ///< of the image
  std::string platform;      ///< os/architecture[/variant]
  std::uint32_t layers = 0;  ///< how many of the image's layers, from the lowest; at least 1
  std::uint32_t of = 0;      ///< how many the image has
  friend bool operator==(const remote_layers&, const remote_layers&) = default;
};

/// Disk space of what a snapshot holds itself, without its parents.
struct snapshot_usage {
  std::uint64_t bytes = 0;   ///< as allocated on the disk
  std::uint64_t inodes = 0;  ///< each hard-linked file once
  friend bool operator==(const snapshot_usage&, const snapshot_usage&) = default;
};

/// One snapshot of containerd's. Its files, if it has some, lie in a folder named after its id.
struct snapshot_record {
  std::uint64_t id = 0;  ///< from 1, given once in the life of a process
  std::string name;      ///< containerd's key, unique
  std::string parent;    ///< name of a committed snapshot; empty: none
  snapshot_kind kind = snapshot_kind::active;
  snapshot_labels labels;
  std::int64_t created_at_ns = 0;  ///< nanoseconds since the epoch
  std::int64_t updated_at_ns = 0;  ///< nanoseconds since the epoch
  /// Of a committed one that needs no files: what it shows with all below it, whoever has made that.
  std::optional<remote_layers> remote;
  snapshot_usage usage;  ///< of a committed one, as it was when it was committed
  friend bool operator==(const snapshot_record&, const snapshot_record&) = default;
};

}  // namespace firstlight
