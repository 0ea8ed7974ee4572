#include "test/harness/cluster/processes.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "test/harness/eventually.hpp"

namespace firstlight {
namespace {

std::filesystem::path folder_of(pid_t process) {
  return std::filesystem::path("/proc") / std::to_string(process);
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// As proc(5) has it: "ID (NAME) STATE ...".
bool has_ended(pid_t process) {
  const auto told = text_of(folder_of(process) / "stat");
  const auto name_end = told.rfind(')');
  return name_end == std::string::npos || told.compare(name_end, 3, ") Z") == 0;
}

}  // namespace

std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    const auto name = process.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto command = text_of(process.path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(text) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

std::vector<pid_t> children_of(pid_t process) {
  std::istringstream told(text_of(folder_of(process) / "task" / std::to_string(process) / "children"));
  std::vector<pid_t> children;
  for (pid_t child = 0; told >> child;) children.push_back(child);
  return children;
}

void kill_processes(const std::vector<pid_t>& processes) {
  for (const auto process : processes) ::kill(process, SIGKILL);
}

bool await_ends(const std::vector<pid_t>& processes) {
  return eventually([&] { return std::all_of(processes.begin(), processes.end(), has_ended); });
}

}  // namespace firstlight
