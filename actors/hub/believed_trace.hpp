#pragma once
#include "actors/hub/trace_aggregator.hpp"

namespace firstlight {

/// The trace of a report if it can be believed: of a known image it names only what the image has; one of an
/// image that is not here may fit or not, which whoever learns from it looks at again. When it was received,
/// and from whom, is filled in. Reads the disk. Errors: `corrupt`; `invalid_argument`, also for one that is
/// older than what is still known of removed ones; `limit_exceeded`.
[[nodiscard]] result<trace> believed_trace(const aggregator_tools& tools, const trace_report& report);

}  // namespace firstlight
