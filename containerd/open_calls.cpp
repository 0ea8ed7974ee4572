#include "containerd/open_calls.hpp"

namespace firstlight {

void open_calls::end() {
  std::unique_lock lock(mutex_);
  ended_ = true;
  for (const auto& asker : open_)
    if (const auto alive = caf::actor_cast<caf::actor>(asker))
      caf::anon_send_exit(alive, caf::exit_reason::user_shutdown);
  none_open_.wait(lock, [&] { return open_.empty(); });
}

}  // namespace firstlight
