#pragma once
#include <functional>
#include <memory>
#include <string>

#include "model/result.hpp"

namespace firstlight {

/// A daemon that runs: destroying it stops it in order.
class running_daemon {
 public:
  virtual ~running_daemon() = default;
};

/// Runs a daemon in the foreground: logs to standard error, tells systemd READY and STOPPING, and stops in
/// order at SIGTERM or SIGINT. `start` runs with these signals blocked, so every thread it makes has them
/// blocked.
/// @returns 0 after a clean stop. Errors: those of `start`.
[[nodiscard]] result<int> serve(const std::string& name, const std::string& log_level,
                                const std::function<result<std::unique_ptr<running_daemon>>()>& start);

}  // namespace firstlight
