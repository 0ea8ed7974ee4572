#include "fuse_bridge/read_path.hpp"

#include <cerrno>

#include "fuse_bridge/libfuse.hpp"

namespace firstlight {
namespace {

/// Reads and answers, unless a block is missing or it is not known yet which: then nothing has been answered.
result<void> try_read(const toc_view& toc, const content_store& store, session_counters& counters,
                      const parked_request& read) {
  if (!toc.contents_known()) return fail(errc::not_ready, "the contents of the image are not known yet");
  // Not zeroed: reads fill it whole.
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(read.bytes);
  const auto filled = store.read(toc.content(read.content), read.offset, {buffer.get(), read.bytes});
  if (!filled) return tl::unexpected(filled.error());
  // A short answer would mean "end of file" to the kernel, and zeros to the program.
  if (*filled != read.bytes) return fail(errc::io, "the content store gave fewer bytes than asked");
  counters.read_bytes += read.bytes;
  fuse_reply_buf(read.request, reinterpret_cast<const char*>(buffer.get()), read.bytes);
  return {};
}

void on_interrupt(fuse_req_t request, void* id) {
  const auto& context = *static_cast<session_context*>(fuse_req_userdata(request));
  context.parts.on_interrupt(waiter_id{reinterpret_cast<std::uintptr_t>(id)});
}

block_run blocks_of(const block_geometry& geometry, const parked_request& read) {
  const auto first = static_cast<std::uint32_t>(read.offset / geometry.block_bytes);
  const auto last = static_cast<std::uint32_t>((read.offset + read.bytes - 1) / geometry.block_bytes);
  return {read.content, first, last - first + 1};
}

void park(session_context& context, inode_number inode, block_run blocks, const parked_request& read) {
  const auto& parts = context.parts;
  const auto id = parts.parked->next_id();
  // The callback is set before the request is published: afterwards another thread may free it.
  fuse_req_interrupt_func(read.request, on_interrupt,
                          reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
  const auto interrupted = parts.parked->park(id, read);
  if (!interrupted) {
    parts.counters->note_error(interrupted.error());
    return refuse_read(*parts.counters, read, EIO);
  }
  parts.on_park({id, blocks, inode, read.offset, read.bytes, read.thread});
  if (*interrupted) parts.on_interrupt(id);
}

}  // namespace

void serve_read(session_context& context, fuse_req_t request, const read_request& asked) {
  const auto& parts = context.parts;
  const auto file = parts.toc->inode(asked.inode);
  ++parts.counters->reads;
  if (file.content == image_inode::no_content || asked.offset >= file.size) {
    fuse_reply_buf(request, nullptr, 0);
    return;
  }
  const auto length =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(asked.bytes, file.size - asked.offset));
  const parked_request read{request, file.content, asked.offset, length,
                            static_cast<std::uint32_t>(fuse_req_ctx(request)->pid)};
  const auto answered = try_read(*parts.toc, *parts.store, *parts.counters, read);
  if (answered) return;
  if (answered.error().code != errc::not_ready) {
    parts.counters->note_error(answered.error());
    return refuse_read(*parts.counters, read, EIO);
  }
  const auto blocks = blocks_of(parts.toc->geometry(), read);
  if (blocks.count > 1 && !asked.direct && context.refused.refuse(asked.inode, asked.offset, length)) {
    fuse_reply_err(request, EIO);
    return;
  }
  park(context, asked.inode, blocks, read);
}

void answer_read(const toc_view& toc, const content_store& store, session_counters& counters,
                 const parked_request& parked) {
  const auto answered = try_read(toc, store, counters, parked);
  if (answered) return;
  counters.note_error(answered.error());
  refuse_read(counters, parked, EIO);
}

void refuse_read(session_counters& counters, const parked_request& parked, int error_number) {
  ++counters.read_errors;
  fuse_reply_err(parked.request, error_number);
}

}  // namespace firstlight
