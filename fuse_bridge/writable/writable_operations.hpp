#pragma once
#include "fuse_bridge/libfuse.hpp"
#include "fuse_bridge/writable/writable_session.hpp"

/// The kernel's requests to a writable_session: each is turned into one call of its writable_tree.
namespace firstlight::writable_operations {

// Nothing changes behind the kernel's back: it may keep what it knows for as long as it has memory.
inline constexpr double valid_seconds = 365.0 * 24 * 3600;

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

/// Tries, and if contents are missing waits for them and tries once more. `attempt` gives a patient_result,
/// `reply` takes its value or an errno.
template <class Attempt, class Reply>
void try_patiently(fuse_req_t request, Attempt attempt, Reply reply) {
  const auto outcome = attempt();
  if (outcome || !outcome.error().missing) return reply(outcome);
  const auto& session = core_of<writable_session>(fuse_req_userdata(request));
  const auto& missing = *outcome.error().missing;
  parked_request parked{request,
                        session.parts.image.counters,
                        session.parts.image.toc,
                        missing.blocks.content,
                        0,
                        static_cast<std::uint32_t>(std::min<std::uint64_t>(missing.bytes, UINT32_MAX)),
                        static_cast<std::uint32_t>(fuse_req_ctx(request)->pid)};
  parked.resume = [attempt, reply](int error_number) {
    auto again = error_number == 0 ? attempt() : tl::unexpected(obstacle{error_number, {}});
    if (!again && again.error().missing) again = tl::unexpected(obstacle{EIO, {}});
    reply(again);
  };
  wait_for_blocks(session.parts.reads, missing.inode, missing.blocks, parked, session.parts.on_park);
}

/// The operations on the contents of files: writable_file_operations.cpp.
void add_file_operations(fuse_lowlevel_ops& operations);

}  // namespace firstlight::writable_operations
