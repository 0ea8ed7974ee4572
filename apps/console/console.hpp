#pragma once
#include "apps/daemon_actions.hpp"

namespace firstlight {

/// The interactive console: reads commands with line editing, history and completion, and runs each as the
/// command line would. One thread, the main one. @returns the exit code
[[nodiscard]] result<int> run_console(const console_arguments& in);

}  // namespace firstlight
