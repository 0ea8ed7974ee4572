#pragma once
#include <functional>

#include "actors/instance_messages.hpp"
#include "fuse_bridge/parked_reads.hpp"
#include "fuse_bridge/refused_windows.hpp"
#include "storage/content_store.hpp"

struct fuse_req;

namespace firstlight {

/// What a session serves reads with. Shared by its threads and its bridge.
struct read_service {
  const content_store* store = nullptr;
  std::shared_ptr<parked_reads> parked;
};

/// The image that a file belongs to, and what counts and notes reads on its mount.
struct read_source {
  std::shared_ptr<const toc_view> toc;
  std::shared_ptr<session_counters> counters;
  std::shared_ptr<access_recorder> recorder{};  ///< may be none
};

/// One read request of the kernel, of a file with contents that begins before their end.
struct read_request {
  std::uint64_t node = 0;  ///< what the kernel knows the file by
  inode_number inode = 0;  ///< in the TOC, for people
  std::uint32_t content = 0;
  std::uint64_t offset = 0;
  std::uint32_t bytes = 0;  ///< ends inside the content
  bool direct = false;      ///< opened with O_DIRECT: the program sees this very answer
  read_notes notes{};
};

/// Told of a request that has been parked; called on the session's threads and must not block.
using park_listener = std::function<void(const park_read&)>;

/// Answers a read at once when its blocks are there, else parks it and reports it. A window of the
/// kernel's read-ahead that touches several blocks is refused instead: the kernel then asks for the
/// one page that a program needs (docs/decisions/exact-waits.md). A signal to the reader of a parked request
/// reaches session_core::interrupted, perhaps before `on_park`, perhaps twice. FUSE threads.
void serve_read(const read_service& service, refused_windows& refused, fuse_req* request,
                const read_source& source, const read_request& asked, const park_listener& on_park);

/// Parks a request that is no read until `blocks` of a content have arrived, and reports it; `parked.resume`
/// answers it. Signals as above. FUSE threads.
void wait_for_blocks(const read_service& service, inode_number inode, block_run blocks,
                     const parked_request& parked, const park_listener& on_park);

/// Answers a request taken out of `parked` whose blocks have arrived. Any thread. The contents of its TOC are
/// known. When the store fails, the reader gets EIO and the reason is noted in the counters.
void answer_read(const read_service& service, const parked_request& parked);

/// Answers a request taken out of `parked` with an error number. Any thread.
void refuse_read(const parked_request& parked, int error_number);

/// Answers every parked request with EIO, and lets none be parked any more. Any thread.
void refuse_all_reads(parked_reads& parked);

/// Forgets every parked request, and any that would be parked from now on, without an answer: they are the
/// next process's. @returns what the kernel had asked, as unanswered.hpp has it. Any thread.
[[nodiscard]] std::vector<std::byte> leave_all_reads(parked_reads& parked);

/// What is left of a read that begins at `offset`: 0 at or behind the end of the file.
[[nodiscard]] constexpr std::uint32_t readable_bytes(std::uint64_t file_size, std::uint64_t offset,
                                                     std::size_t asked) {
  return offset >= file_size ? 0
                             : static_cast<std::uint32_t>(std::min<std::uint64_t>(asked, file_size - offset));
}

}  // namespace firstlight
