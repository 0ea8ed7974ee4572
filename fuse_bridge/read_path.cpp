#include "fuse_bridge/read_path.hpp"

#include <cerrno>

#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/session_core.hpp"
#include "fuse_bridge/unanswered.hpp"

namespace firstlight {
namespace {

std::uint32_t content_blocks(const parked_request& read) {
  return read.toc->geometry().count(read.toc->content_size(read.content));
}

block_run blocks_of(const block_geometry& geometry, const parked_request& read) {
  const auto first = static_cast<std::uint32_t>(read.offset / geometry.block_bytes);
  const auto last = static_cast<std::uint32_t>((read.offset + read.bytes - 1) / geometry.block_bytes);
  return {read.content, first, last - first + 1};
}

/// Reads and answers, unless a block is missing or it is not known yet which: then nothing has been answered.
/// `note` is called before the answer: the program may end with it, and its recording too.
template <class Note>
result<void> try_read(const read_service& service, const parked_request& read, Note note) {
  if (!read.toc->contents_known())
    return fail(errc::not_ready, "the contents of the image are not known yet");
  // Not zeroed: reads fill it whole.
  const auto buffer = std::make_unique_for_overwrite<std::byte[]>(read.bytes);
  const auto filled =
      service.store->read(read.toc->content(read.content), read.offset, {buffer.get(), read.bytes});
  if (!filled) return tl::unexpected(filled.error());
  // A short answer would mean "end of file" to the kernel, and zeros to the program.
  if (*filled != read.bytes) return fail(errc::io, "the content store gave fewer bytes than asked");
  read.counters->read_bytes += read.bytes;
  note();
  fuse_reply_buf(read.request, reinterpret_cast<const char*>(buffer.get()), read.bytes);
  return {};
}

void on_interrupt(fuse_req_t request, void* id) {
  static_cast<session_core*>(fuse_req_userdata(request))
      ->interrupted(waiter_id{reinterpret_cast<std::uintptr_t>(id)});
}

void park(const read_service& service, inode_number inode, block_run blocks, parked_request read,
          const park_listener& on_park) {
  const auto message = message_in_hand();
  read.message.assign(message.begin(), message.end());
  const auto id = service.parked->next_id();
  auto& core = *static_cast<session_core*>(fuse_req_userdata(read.request));
  // The callback is set before the request is published: afterwards another thread may free it.
  fuse_req_interrupt_func(read.request, on_interrupt,
                          reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)));
  note_waits(read.notes);
  const auto interrupted = service.parked->park(id, read);
  if (!interrupted && service.parked->left()) return fuse_reply_none(read.request);
  if (!interrupted) {
    read.counters->note_error(interrupted.error());
    return refuse_read(read, EIO);
  }
  on_park({id, blocks, inode, read.offset, read.bytes, read.thread});
  if (*interrupted) core.interrupted(id);
}

}  // namespace

void serve_read(const read_service& service, refused_windows& refused, fuse_req_t request,
                const read_source& source, const read_request& asked, const park_listener& on_park) {
  parked_request read{request,
                      source.counters,
                      source.toc,
                      asked.content,
                      asked.offset,
                      asked.bytes,
                      static_cast<std::uint32_t>(fuse_req_ctx(request)->pid)};
  const auto answered = try_read(service, read, [&] {
    if (!asked.notes.empty())
      note_read(asked.notes, blocks_of(source.toc->geometry(), read), content_blocks(read));
  });
  if (answered) return;
  if (answered.error().code != errc::not_ready) {
    read.counters->note_error(answered.error());
    return refuse_read(read, EIO);
  }
  const auto blocks = blocks_of(source.toc->geometry(), read);
  if (blocks.count > 1 && !asked.direct && refused.refuse(asked.node, asked.offset, asked.bytes)) {
    fuse_reply_err(request, EIO);
    return;
  }
  if (!asked.notes.empty()) {
    read.notes = asked.notes;
    read.since = std::chrono::steady_clock::now();
  }
  park(service, asked.inode, blocks, read, on_park);
}

void wait_for_blocks(const read_service& service, inode_number inode, block_run blocks,
                     const parked_request& parked, const park_listener& on_park) {
  park(service, inode, blocks, parked, on_park);
}

void answer_read(const read_service& service, const parked_request& parked) {
  if (parked.resume) return parked.resume(0);
  const auto answered = try_read(service, parked, [&] {
    if (!parked.notes.empty())
      note_waited(parked.notes, blocks_of(parked.toc->geometry(), parked), content_blocks(parked),
                  parked.since);
  });
  if (answered) return;
  parked.counters->note_error(answered.error());
  refuse_read(parked, EIO);
}

void refuse_read(const parked_request& parked, int error_number) {
  note_gave_up(parked.notes);
  if (parked.resume) return parked.resume(error_number);
  ++parked.counters->read_errors;
  fuse_reply_err(parked.request, error_number);
}

void refuse_all_reads(parked_reads& parked) {
  for (const auto& read : parked.close()) refuse_read(read, EIO);
}

std::vector<std::byte> leave_all_reads(parked_reads& parked) {
  std::vector<std::byte> messages;
  for (const auto& read : parked.leave()) {
    append_unanswered(messages, read.message);
    if (!read.message.empty() && fuse_req_interrupted(read.request) != 0)
      append_interrupt(messages, read.message);
    fuse_reply_none(read.request);
  }
  return messages;
}

}  // namespace firstlight
