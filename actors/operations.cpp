#include "actors/operations.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <chrono>

namespace firstlight {

void note_event(event_log& log, std::string kind, std::string about) {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  log.note(std::chrono::duration_cast<milliseconds>(now).count(), std::move(kind), std::move(about));
}

admin_events report_events(const event_log& log, const admin_events_request& asked) {
  admin_events said;
  for (auto& one : log.since(asked.after))
    said.events.push_back({one.number, one.at_ms, std::move(one.kind), std::move(one.about)});
  return said;
}

result<admin_done> set_log_level(const admin_log_level& asked) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), asked.level) == levels.end())
    return fail(errc::invalid_argument, "'" + asked.level + "' is none of trace, debug, info, warn, error");
  spdlog::set_level(spdlog::level::from_str(asked.level == "warn" ? "warning" : asked.level));
  return admin_done{};
}

}  // namespace firstlight
