#pragma once
#include "fuse_bridge/backing_files.hpp"
#include "fuse_bridge/libfuse.hpp"

namespace firstlight {

/// Answers FUSE_OPEN, and with `entry` FUSE_CREATE. @returns 0, or an error: then the kernel has not opened
/// it.
int reply_open(fuse_req_t request, open_way way, fuse_file_info file,
               const fuse_entry_param* entry = nullptr);

}  // namespace firstlight
