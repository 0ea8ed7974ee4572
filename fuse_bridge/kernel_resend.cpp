#include "fuse_bridge/kernel_resend.hpp"

#include <linux/fuse.h>
#include <unistd.h>

#include <cerrno>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr std::int32_t notify_resend = 7;  // FUSE_NOTIFY_RESEND: in the kernel's header since 7.40

}  // namespace

result<void> have_kernel_repeat(int device) {
  const fuse_out_header resend{sizeof resend, notify_resend, 0};
  if (write(device, &resend, sizeof resend) != sizeof resend)
    return tl::unexpected(from_errno(errno, "have the kernel repeat its requests"));
  return {};
}

}  // namespace firstlight
