#include "actors/operations.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

namespace firstlight {

result<admin_done> set_log_level(const admin_log_level& asked) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error"};
  if (std::find(levels.begin(), levels.end(), asked.level) == levels.end())
    return fail(errc::invalid_argument, "'" + asked.level + "' is none of trace, debug, info, warn, error");
  spdlog::set_level(spdlog::level::from_str(asked.level == "warn" ? "warning" : asked.level));
  return admin_done{};
}

}  // namespace firstlight
