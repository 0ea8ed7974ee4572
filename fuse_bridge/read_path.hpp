#pragma once
#include "fuse_bridge/session_context.hpp"

struct fuse_req;

namespace firstlight {

/// One read request of the kernel.
struct read_request {
  inode_number inode = 0;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
  bool direct = false;  ///< opened with O_DIRECT: the program sees this very answer
};

/// Answers a read at once when its blocks are there, else parks it and reports it. A window of the
/// kernel's read-ahead that touches several blocks is refused instead: the kernel then asks for the
/// one page that a program needs (docs/decisions/exact-waits.md). FUSE threads.
void serve_read(session_context& context, fuse_req* request, const read_request& asked);

/// Answers a request taken out of `parked` whose blocks have arrived. Any thread. The contents of `toc` are
/// known. When the store fails, the reader gets EIO and the reason is noted in `counters`.
void answer_read(const toc_view& toc, const content_store& store, session_counters& counters,
                 const parked_request& parked);

/// Answers a request taken out of `parked` with an error number. Any thread.
void refuse_read(session_counters& counters, const parked_request& parked, int error_number);

}  // namespace firstlight
