#pragma once
#include <functional>

namespace firstlight::test {

/// Runs `work` in a child process whose temporary folders lie in one folder of its own (TMPDIR). However the
/// child ends, and also when this process is told to end (SIGTERM, SIGINT, SIGHUP), mounts below that folder
/// are taken down and the folder is removed: destructors do not run when a test program is killed.
/// @returns the child's exit status; 128 + the signal that ended it
int supervise(const std::function<int()>& work);

}  // namespace firstlight::test
