#pragma once
#include <cerrno>
#include <string_view>

#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/session_context.hpp"

/// What the sessions over one image say to the kernel in the same way.
namespace firstlight {

/// Nothing changes behind the kernel's back: it may keep what it knows for as long as it has memory.
inline constexpr double valid_seconds = 365.0 * 24 * 3600;

/// Sizes and queues of a connection, and what it is to do beside `more` (FUSE_CAP_...).
inline void set_up(fuse_conn_info& connection, const session_parts& parts, unsigned more = 0) {
  connection.max_readahead = parts.image.toc->block_bytes();
  connection.max_background = parts.limits.kernel_background_max;
  connection.congestion_threshold = parts.limits.kernel_background_max;
  // Set-user-id goes by the kernel's hand when a file is written to or changes its size or owner: it knows
  // who may keep it. libfuse would have it left to us.
  connection.want &=
      ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                             FUSE_CAP_SPLICE_MOVE | FUSE_CAP_HANDLE_KILLPRIV);
  connection.want |=
      connection.capable &
      (static_cast<unsigned>(FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
                             FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO) |
       more);
}

/// The value of an extended attribute, for a program that has `room` bytes; 0: it asks how many.
inline void reply_value(fuse_req_t request, std::string_view value, std::size_t room) {
  if (room == 0)
    fuse_reply_xattr(request, value.size());
  else if (value.size() > room)
    fuse_reply_err(request, ERANGE);
  else
    fuse_reply_buf(request, value.data(), value.size());
}

/// Likewise the names of a file's extended attributes. Only root is told of those that only root may read:
/// xattr(7), "trusted extended attributes". The kernel does not look.
inline void reply_names(fuse_req_t request, const std::string& names, std::size_t room) {
  reply_value(request, fuse_req_ctx(request)->uid == 0 ? names : without_trusted(names), room);
}

}  // namespace firstlight
