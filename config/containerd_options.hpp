#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "config/snapshot_limits.hpp"

namespace firstlight {

/// How a node works with containerd.
struct containerd_options {
  std::filesystem::path socket;  ///< serves containerd's snapshots API, mode 0600; empty: off
  std::filesystem::path address = "/run/containerd/containerd.sock";  ///< of containerd, for its images
  std::string snapshotter = "firstlight";  ///< what containerd's config calls this node
  /// For the hub to say whether it has an image; then containerd downloads it.
  std::chrono::milliseconds hub_wait{10'000};
  /// For an image of which containerd downloads a layer: before the hub is asked for the layers above.
  std::chrono::milliseconds hub_again{600'000};
  std::chrono::milliseconds mount_wait{60'000};  ///< for an image to be mounted below a container
  std::chrono::milliseconds mount_retry{50};     ///< before a mount that is being made is asked for again
  /// The longest pause before the node tries again to forget an image that containerd has removed: not while
  /// others arrive. The first is `mount_retry`; they double.
  std::chrono::milliseconds forget_retry_max{60'000};
  std::chrono::milliseconds record_wait{200};  ///< for a container's start to be recorded from its beginning
  std::chrono::milliseconds call_timeout{60'000};  ///< for one call that the node makes to containerd
  /// Before containerd is tried again that was not there when kubelet asked for an image.
  std::chrono::milliseconds reconnect_wait{1'000};
  std::uint32_t fallbacks_max = 1024;            ///< images remembered that containerd downloads itself
  std::uint32_t listed_at_once_max = 100;        ///< snapshots in one message of a listing
  std::uint32_t message_bytes_max = 16U << 20U;  ///< of one call
  snapshot_limits snapshots;
};

}  // namespace firstlight
