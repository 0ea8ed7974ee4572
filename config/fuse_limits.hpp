#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of one mount: its FUSE session and its file-system instance.
struct fuse_limits {
  bool passthrough = true;  ///< whole contents: read by the kernel, where it can (Linux 6.9)
  bool resend = true;       ///< the kernel repeats a former process's requests, where it can (Linux 6.9)
  std::uint32_t passthrough_bytes_min = 128U << 10U;   ///< smaller files of an image: cheaper through FUSE
  std::uint32_t copied_at_once_bytes_max = 1U << 20U;  ///< of one file; promotion of more has its own thread
  std::uint32_t copy_range_bytes_max = 4U << 20U;      ///< by one copy_file_range(2), while others wait
  std::uint32_t loop_threads = 1;  ///< that take kernel requests; one is cheapest, two help many readers
  std::uint32_t parked_reads_max = 65'536;       ///< further ones get EIO; above what the kernel lets in
  std::uint16_t kernel_background_max = 65'535;  ///< read-ahead requests in flight: parked ones count
  std::uint32_t read_ahead_complete_bytes = 512U << 10U;  ///< kernel read-ahead once all contents are there
  std::uint32_t refused_windows_max = 4096;               ///< windows of read-ahead remembered as refused
  std::uint32_t want_beyond_blocks = 3;    ///< blocks after a missing one that are asked for with it
  std::uint32_t failed_blocks_max = 4096;  ///< remembered as failed; further ones are asked for again
  std::chrono::milliseconds failure_remembered{5'000};  ///< a failed block gives EIO at once for so long
  std::chrono::milliseconds wait_without_progress_max{600'000};  ///< then EIO; 0: no limit
  std::chrono::milliseconds wait_check_interval{1'000};          ///< how often the limit above is looked at
  std::chrono::milliseconds killed_check_interval{50};           ///< of readers that a signal has reached
  std::chrono::milliseconds unmount_timeout{10'000};             ///< for the bridge to take its mounts down
  std::uint32_t waits_shown_max = 64;                            ///< in one status
};

}  // namespace firstlight
