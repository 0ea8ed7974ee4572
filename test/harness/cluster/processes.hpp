#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace firstlight {

/// Ids of the processes whose command line, its words with a space behind each, has this text.
[[nodiscard]] std::vector<pid_t> processes_with(const std::string& text);

[[nodiscard]] std::vector<pid_t> children_of(pid_t process);

/// SIGKILL to each.
void kill_processes(const std::vector<pid_t>& processes);

/// Whether all of them end in time. Those that wait for their parent count as ended.
[[nodiscard]] bool await_ends(const std::vector<pid_t>& processes);

}  // namespace firstlight
