#pragma once
#include <filesystem>
#include <memory>
#include <variant>

#include "config/segment_limits.hpp"
#include "model/transfer.hpp"

namespace firstlight {

/// BUNDLE FILE: one image as a stream of what a hub would send, for machines without a network: the
/// two parts of the signed TOC, the segments in order, landmarks between them, and at the end their number
/// and a checksum (docs/formats.md). It has its name only once it is whole (`new_file`).

/// Writes one bundle file. One thread. A writer that is dropped before `finish` leaves nothing behind.
class bundle_writer {
 public:
  /// Errors: those of `new_file`.
  static result<bundle_writer> create(const std::filesystem::path& path, const toc_frame& tree,
                                      const toc_frame& contents);
  ~bundle_writer();
  bundle_writer(bundle_writer&&) noexcept;
  bundle_writer& operator=(bundle_writer&&) noexcept;

  result<void> add(const segment& next);
  result<void> add(landmark passed);
  /// Writes the end, makes the file durable and gives it its name. Nothing may be added afterwards.
  result<void> finish();

 private:
  struct impl;
  explicit bundle_writer(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

/// The end of a bundle file was reached and all that was read matched it.
struct bundle_end {
  std::uint32_t segments = 0;
};
using bundle_part = std::variant<segment, landmark, bundle_end>;

/// Reads one bundle file from its begin to its end, in memory for one part. One thread. The parts have not
/// been verified: they go the same way as those from a network.
class bundle_reader {
 public:
  /// Errors: `not_found`, `io`, `invalid_argument` for what is no file; `corrupt` for a file that is no
  /// bundle; `unsupported` for another version; `limit_exceeded` for a TOC above the limit.
  static result<bundle_reader> open(const std::filesystem::path& path, const segment_limits& limits = {});
  ~bundle_reader();
  bundle_reader(bundle_reader&&) noexcept;
  bundle_reader& operator=(bundle_reader&&) noexcept;

  [[nodiscard]] const toc_frame& tree() const;
  [[nodiscard]] const toc_frame& contents() const;
  /// The next part; `bundle_end` is the last. Errors: `corrupt` for a damaged or truncated file, told
  /// apart in the detail; `limit_exceeded`; `io`.
  result<bundle_part> next();

 private:
  struct impl;
  explicit bundle_reader(std::unique_ptr<impl> state);
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight
