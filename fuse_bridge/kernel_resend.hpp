#pragma once
#include "model/bytes.hpp"
#include "model/result.hpp"

namespace firstlight {

/// Has the kernel ask once more what somebody has read from this /dev/fuse and not answered
/// (FUSE_NOTIFY_RESEND, Linux 6.9). Errors: `io`.
[[nodiscard]] result<void> have_kernel_repeat(int device);

/// Notes the request that this thread handles from now on, as it was read from /dev/fuse.
void note_request(bytes_view message);

/// Whether the request that this thread handles is such a repetition: a process before may have carried it
/// out and died before it could answer. Until the answer the kernel lets nobody else change the folders whose
/// names it is about.
[[nodiscard]] bool request_is_repeated();

/// The kernel's number of that request, which no other of its session has. A repetition has the same.
[[nodiscard]] std::uint64_t request_number();

}  // namespace firstlight
