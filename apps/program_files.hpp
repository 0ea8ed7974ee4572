#pragma once
#include <filesystem>

#include "model/result.hpp"

/// The program is one command line in two files. `firstlightd` is all of it, and enough alone, under any
/// name. `firstlight` is what users start: the commands without the daemons' libraries, which starts at once;
/// it becomes `firstlightd` (exec: same process, same arguments) for what needs those.
namespace firstlight {

/// `firstlightd` as seen from the file `self`: in the same folder, else where an installation has it
/// (bin/firstlight, lib/firstlight/firstlightd).
/// Errors: `not_found`, saying where it should be.
[[nodiscard]] result<std::filesystem::path> find_daemon_program(const std::filesystem::path& self);

/// Replaces this process with `firstlightd`, arguments and environment as they are. @returns only if that
/// fails. Errors: `not_found`, `io`.
[[nodiscard]] error become_daemon_program(char** argv);

}  // namespace firstlight
