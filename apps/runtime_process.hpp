#pragma once
#include <csignal>
#include <string>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// Runs a program with this process's terminal and files, passes on the signals it gets meanwhile, and waits
/// for its end. While it runs this process ends by none of SIGINT, SIGTERM, SIGHUP, SIGQUIT.
/// @returns the exit code; 128 + N when signal N ended it. Errors: `not_found` when there is no such program,
/// `io`. The program starts with the signals `blocked` blocked.
[[nodiscard]] result<int> run_attached(const std::vector<std::string>& command, const sigset_t& blocked);

}  // namespace firstlight
