#include "apps/standard_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace firstlight {
namespace {

bool has_reader() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return poll(&output, 1, 0) <= 0 || (output.revents & (POLLERR | POLLHUP)) == 0;
}

}  // namespace

bool write_out() {
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

result<void> finish_output() {
  errno = 0;
  if (write_out()) return {};
  const int why = errno;
  if (why == EPIPE || !has_reader()) return {};
  return fail(errc::io, std::string("not all of the output could be written") +
                            (why == 0 ? "" : std::string(": ") + std::strerror(why)));
}

}  // namespace firstlight
