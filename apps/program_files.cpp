#include "apps/program_files.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace firstlight {
namespace fs = std::filesystem;

result<fs::path> find_program_file(program_file which, const fs::path& self) {
  const auto folder = self.parent_path();
  const bool daemons = which == program_file::daemons;
  const auto* name = daemons ? "firstlightd" : "firstlight";
  const auto installed =
      daemons ? folder.parent_path() / "lib/firstlight" : folder.parent_path().parent_path() / "bin";
  for (const auto& place : {folder / name, installed / name})
    if (access(place.c_str(), X_OK) == 0) return place;
  return fail(errc::not_found, std::string("the program ") + name + " is missing: it belongs in " +
                                   folder.string() + " or " + installed.string());
}

result<fs::path> find_program_file(program_file which) {
  std::error_code problem;
  const auto self = fs::read_symlink("/proc/self/exe", problem);
  if (problem) return fail(errc::io, "/proc/self/exe: " + problem.message());
  return find_program_file(which, self);
}

error become_daemon_program(char** argv) {
  const auto found = find_program_file(program_file::daemons);
  if (!found) return found.error();
  execv(found->c_str(), argv);
  return {errc::io, found->string() + " does not start: " + std::strerror(errno)};
}

}  // namespace firstlight
