#include "actors/followed_events.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace firstlight {
namespace {

void answer(followed_events::promise& reply, const admin_events& said) {
  reply.deliver(admin_message{encode(admin_reply(said))});
}

}  // namespace

void followed_events::note(std::string kind, std::string about) {
  using std::chrono::milliseconds;
  spdlog::debug("{}: {}", kind, about);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  log_.note(std::chrono::duration_cast<milliseconds>(now).count(), std::move(kind), std::move(about));
  for (auto& one : std::exchange(followers_, {})) answer(one.reply, since(one.after));
}

void followed_events::tell(const admin_events_request& asked, promise reply) {
  const auto said = since(asked.after);
  if (!asked.wait || !said.events.empty()) return answer(reply, said);
  if (followers_.size() >= followers_max_) {
    answer(followers_.front().reply, {});
    followers_.pop_front();
  }
  followers_.push_back({asked.after, std::move(reply)});
}

admin_events followed_events::since(std::uint64_t after) const {
  admin_events said;
  for (auto& one : log_.since(after))
    said.events.push_back({one.number, one.at_ms, std::move(one.kind), std::move(one.about)});
  return said;
}

}  // namespace firstlight
