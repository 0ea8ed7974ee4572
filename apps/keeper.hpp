#pragma once
#include <filesystem>
#include <optional>

#include "config/keeper_limits.hpp"
#include "fuse_bridge/caretaker.hpp"
#include "model/result.hpp"

/// The keeper as a process of its own: this program once more, started by a node as
/// `firstlight keeper SOCKET WAIT_MS MOUNTS_MAX MESSAGE_BYTES_MAX STORE EARLY_CONTENTS`, with the listener as
/// its standard input.
namespace firstlight {

/// Starts it in a session of its own, so that no terminal's signal ends it. Errors: `io`.
result<void> spawn_keeper(int listener, const std::filesystem::path& socket, const keeper_limits& limits,
                          const caretaker_places& places);

/// Runs it if that is what the command line says. @returns the exit code then.
std::optional<int> run_as_keeper(int argc, char** argv);

}  // namespace firstlight
