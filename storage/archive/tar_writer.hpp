#pragma once
#include <cstdint>
#include <functional>
#include <string_view>

#include "model/bytes.hpp"
#include "model/layer_entry.hpp"

namespace firstlight {

/// Writes a tar in the POSIX.1-2001 (pax) format: what ustar's fields cannot hold stands in records before
/// the entry, extended attributes as `SCHILY.xattr.NAME`, as star, GNU tar and umoci have it. Equal entries
/// give equal bytes. One thread.
class tar_writer {
 public:
  using sink = std::function<result<void>(bytes_view)>;
  explicit tar_writer(sink to) : sink_(std::move(to)) {}

  /// Then exactly `size` bytes by `data`; 0 for all but regular files. `entry.content` is not used.
  result<void> begin(const layer_entry& entry, std::uint64_t size = 0);
  result<void> data(bytes_view bytes);
  /// Pads what `data` has brought. Errors: `invalid_argument` when that is not the entry's size.
  result<void> end_entry();
  /// Two zero blocks.
  result<void> end();

 private:
  result<void> put(std::string_view bytes);

  sink sink_;
  std::uint64_t left_ = 0;     // of the entry's data
  std::uint64_t padding_ = 0;  // behind it
};

}  // namespace firstlight
