#pragma once
#include <string>
#include <vector>

#include "model/result.hpp"

namespace firstlight {

/// Exit codes of the program. `firstlight run` passes the started program's own code on; what goes wrong
/// before it runs ends with `run_failed`.
enum class exit_code : int {
  ok = 0,
  failed = 1,        ///< anything without a code of its own
  usage = 2,         ///< the command line or a setting is wrong
  not_found = 3,     ///< no such image, mount, layer, file
  unavailable = 4,   ///< daemon, hub or registry cannot be reached, or is busy: try again
  timed_out = 5,     ///< a time limit passed
  denied = 6,        ///< no right to do that
  exists = 7,        ///< the name is taken
  no_space = 8,      ///< the disk or a limit is full
  run_failed = 125,  ///< `firstlight run` itself failed
};

[[nodiscard]] exit_code to_exit_code(errc code);

struct exit_code_row {
  exit_code code;
  std::string meaning;
};
/// For the manual pages.
[[nodiscard]] const std::vector<exit_code_row>& exit_code_table();

}  // namespace firstlight
