#pragma once
#include <filesystem>

#include "model/result.hpp"

/// The program is two files with one command line. `firstlight` is what users start: it links only what the
/// commands need and starts at once. `firstlightd` has the daemons and their libraries; `firstlight` becomes
/// it (exec: same process, same arguments) for the commands that need those.
namespace firstlight {

enum class program_file { client, daemons };

/// The other file as seen from `self`: in the same folder, else where an installation has it (bin/firstlight,
/// lib/firstlight/firstlightd).
/// Errors: `not_found`, saying where it should be.
[[nodiscard]] result<std::filesystem::path> find_program_file(program_file which,
                                                              const std::filesystem::path& self);

/// The same as seen from the running program. Errors: also `io`.
[[nodiscard]] result<std::filesystem::path> find_program_file(program_file which);

/// Replaces this process with `firstlightd`, arguments and environment as they are. @returns only if that
/// fails. Errors: `not_found`, `io`.
[[nodiscard]] error become_daemon_program(char** argv);

}  // namespace firstlight
