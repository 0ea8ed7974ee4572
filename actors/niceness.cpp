#include "actors/niceness.hpp"

#include <sys/resource.h>

#include <cerrno>

namespace firstlight {

void change_niceness(int by) {
  errno = 0;
  const int now = getpriority(PRIO_PROCESS, 0);
  if (errno == 0) setpriority(PRIO_PROCESS, 0, now + by);
}

}  // namespace firstlight
