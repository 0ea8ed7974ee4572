#include "apps/program_files.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace firstlight {
namespace fs = std::filesystem;

result<fs::path> find_daemon_program(const fs::path& self) {
  const auto beside = self.parent_path();
  const auto installed = beside.parent_path() / "lib/firstlight";
  for (const auto& folder : {beside, installed})
    if (const auto file = folder / "firstlightd"; access(file.c_str(), X_OK) == 0) return file;
  return fail(errc::not_found, "the program firstlightd is missing: it belongs in " + beside.string() +
                                   " or " + installed.string());
}

error become_daemon_program(char** argv) {
  std::error_code problem;
  const auto self = fs::read_symlink("/proc/self/exe", problem);
  if (problem) return {errc::io, "/proc/self/exe: " + problem.message()};
  const auto found = find_daemon_program(self);
  if (!found) return found.error();
  execv(found->c_str(), argv);
  return {errc::io, found->string() + " does not start: " + std::strerror(errno)};
}

}  // namespace firstlight
