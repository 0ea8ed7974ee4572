#pragma once
#include "model/event_log.hpp"
#include "schemas/admin.hpp"

namespace firstlight {

/// Notes an event that happens now.
void note_event(event_log& log, std::string kind, std::string about);

/// What an operator asks for.
[[nodiscard]] admin_events report_events(const event_log& log, const admin_events_request& asked);

/// Sets the level of this process. Errors: `invalid_argument`.
[[nodiscard]] result<admin_done> set_log_level(const admin_log_level& asked);

}  // namespace firstlight
