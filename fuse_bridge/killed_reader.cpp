#include "fuse_bridge/killed_reader.hpp"

#include <csignal>
#include <fstream>
#include <string>

namespace firstlight {

bool is_killed(std::uint32_t thread) {
  if (thread == 0) return true;
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  if (!status) return true;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("SigPnd:") && !line.starts_with("ShdPnd:")) continue;
    const auto pending = std::stoull(line.substr(line.find_first_not_of("\t ", 7)), nullptr, 16);
    if (((pending >> (SIGKILL - 1)) & 1U) != 0) return true;
  }
  return false;
}

}  // namespace firstlight
