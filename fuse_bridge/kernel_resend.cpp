#include "fuse_bridge/kernel_resend.hpp"

#include <linux/fuse.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

// In the kernel's header since 7.40.
constexpr std::int32_t notify_resend = 7;             // FUSE_NOTIFY_RESEND
constexpr std::uint64_t unique_resend = 1ULL << 63U;  // FUSE_UNIQUE_RESEND

thread_local bool is_repeated = false;
thread_local std::uint64_t number = 0;

}  // namespace

result<void> have_kernel_repeat(int device) {
  const fuse_out_header resend{sizeof resend, notify_resend, 0};
  if (write(device, &resend, sizeof resend) != sizeof resend)
    return tl::unexpected(from_errno(errno, "have the kernel repeat its requests"));
  return {};
}

void note_request(bytes_view message) {
  fuse_in_header header{};
  if (message.size() < sizeof header) return;
  std::memcpy(&header, message.data(), sizeof header);
  number = header.unique & ~unique_resend;
  is_repeated = (header.unique & unique_resend) != 0;
}

bool request_is_repeated() {
  return is_repeated;
}

std::uint64_t request_number() {
  return number;
}

}  // namespace firstlight
