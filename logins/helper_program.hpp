#pragma once
#include <string>
#include <utility>
#include <vector>

#include "config/login_options.hpp"
#include "model/result.hpp"

namespace firstlight {

/// A program that is asked for a login.
struct helper_program {
  std::string path;  ///< without '/': looked up in $PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;  ///< added to this process's own
};

struct helper_answer {
  int exit_code = -1;  ///< -1: by a signal
  std::string output;  ///< may hold secrets: who takes it wipes it
};

/// Runs a program with `question` on its standard input until it ends; it is killed when its time is over.
/// What it says to standard error goes to this process's. Blocks. Errors: `denied` if it cannot be run,
/// `timed_out`, `limit_exceeded` for a longer answer.
[[nodiscard]] result<helper_answer> ask_helper(const helper_program& program, const std::string& question,
                                               const helper_limits& limits);

}  // namespace firstlight
