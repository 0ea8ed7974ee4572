#pragma once
#include "fuse_bridge/kernel_replies.hpp"
#include "fuse_bridge/writable/writable_session.hpp"

/// The kernel's requests to a writable_session: each is turned into one call of its writable_tree.
namespace firstlight::writable_operations {

inline writable_session& session_of(fuse_req_t request) {
  auto& session = core_of<writable_session>(fuse_req_userdata(request));
  ++session.parts.image.counters->requests;
  return session;
}

inline maker maker_of(fuse_req_t request) {
  const auto* const context = fuse_req_ctx(request);
  return {context->uid, context->gid, context->umask};
}

inline fuse_entry_param entry_for(const shown_file& file) {
  fuse_entry_param entry{};
  entry.ino = file.number;
  entry.attr = file.attributes;
  entry.attr_timeout = entry.entry_timeout = valid_seconds;
  return entry;
}

inline void answer(fuse_req_t request, const os_result<void>& outcome) {
  fuse_reply_err(request, outcome ? 0 : outcome.error());
}
inline void answer(fuse_req_t request, const os_result<shown_file>& outcome) {
  if (!outcome) return void(fuse_reply_err(request, outcome.error()));
  const auto entry = entry_for(*outcome);
  fuse_reply_entry(request, &entry);
}

inline void answer(fuse_req_t request, const os_result<struct stat>& outcome) {
  if (!outcome) return void(fuse_reply_err(request, outcome.error()));
  fuse_reply_attr(request, &*outcome, valid_seconds);
}

/// Tries. What takes its time is done by the session's copier; if contents are missing it waits for them and
/// tries once more; a file that loses its last name meanwhile is there still. `attempt(pace)` gives a
/// patient_result, and may be made again by another process; `reply` takes its value or an errno.
template <class Attempt, class Reply>
void try_patiently(fuse_req_t request, Attempt attempt, Reply reply) {
  auto& session = core_of<writable_session>(fuse_req_userdata(request));
  const auto finish = [&session, request, reply](const auto& outcome) {
    if (!outcome && session.left()) return fuse_reply_none(request);
    reply(outcome);
  };
  const auto carry_out = [&session, attempt, finish](const auto& wait) {
    const auto outcome = attempt(pace::at_once);
    if (outcome) return finish(outcome);
    if (outcome.error().missing) return wait(outcome.error());
    if (!outcome.error().slow) return finish(outcome);
    session.copier.add([attempt, finish, needed = outcome.error().needed](bool too_late) {
      finish(too_late ? decltype(attempt(pace::unhurried))(tl::unexpected(obstacle{EIO}))
                      : attempt(pace::unhurried));
    });
  };
  carry_out([&](const obstacle& why) {
    const auto& missing = *why.missing;
    parked_request parked{request,
                          session.parts.image.counters,
                          session.parts.image.toc,
                          missing.blocks.content,
                          0,
                          static_cast<std::uint32_t>(std::min<std::uint64_t>(missing.bytes, UINT32_MAX)),
                          static_cast<std::uint32_t>(fuse_req_ctx(request)->pid)};
    parked.resume = [carry_out, reply, needed = why.needed](int error_number) {
      if (error_number != 0) return reply(tl::unexpected(obstacle{error_number}));
      // They were there a moment ago.
      carry_out([&](const obstacle&) { reply(tl::unexpected(obstacle{EIO})); });
    };
    wait_for_blocks(session.parts.reads, missing.inode, missing.blocks, parked, session.parts.on_park);
  });
}

/// The operations on the contents of files: writable_file_operations.cpp.
void add_file_operations(fuse_lowlevel_ops& operations);

}  // namespace firstlight::writable_operations
