#pragma once
#include "model/result.hpp"

namespace firstlight {

/// Has the kernel ask once more what somebody has read from this /dev/fuse and not answered
/// (FUSE_NOTIFY_RESEND, Linux 6.9). Errors: `io`.
[[nodiscard]] result<void> have_kernel_repeat(int device);

}  // namespace firstlight
