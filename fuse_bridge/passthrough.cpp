#include "fuse_bridge/passthrough.hpp"

#include <spdlog/spdlog.h>

namespace firstlight {

backing_files* passthrough::files(const session_core& core) {
  std::call_once(once_, [&] {
    if (core.passthrough_device() < 0) return;
    auto made = backing_files::open_table(core.passthrough_device(), table_, counters_, bytes_min_);
    if (made)
      files_ = std::move(*made);
    else
      spdlog::warn("no passthrough on a mount: {}", made.error().detail);
  });
  return files_.get();
}

}  // namespace firstlight
