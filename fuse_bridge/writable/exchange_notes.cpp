#include "fuse_bridge/writable/exchange_notes.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace firstlight {

result<exchange_notes> exchange_notes::open(std::filesystem::path folder, session_life life) {
  if (life == session_life::fresh) {
    std::error_code problem;
    std::filesystem::remove_all(folder, problem);
    if (problem) return fail(errc::io, "remove " + folder.string() + ": " + problem.message());
  }
  return exchange_notes(std::move(folder));
}

// A symbolic link is there with what it says or not at all.
os_result<void> exchange_notes::add(std::uint64_t request, const exchanged_nodes& nodes) {
  if (mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) return refuse_as_system();
  const auto name = name_of(request);
  ::unlink(name.c_str());  // of a process that was asked before and did not come to it
  return outcome_of(symlink((std::to_string(nodes.from) + ":" + std::to_string(nodes.to)).c_str(),  //
                            name.c_str()));
}

std::optional<exchanged_nodes> exchange_notes::find(std::uint64_t request) const {
  std::array<char, 64> text{};  // two numbers have at most 41 characters
  if (readlink(name_of(request).c_str(), text.data(), text.size() - 1) < 0) return std::nullopt;
  char* rest = nullptr;
  const node_number from = std::strtoull(text.data(), &rest, 10);
  if (*rest != ':') return std::nullopt;
  return exchanged_nodes{from, std::strtoull(rest + 1, nullptr, 10)};
}

void exchange_notes::remove(std::uint64_t request) {
  ::unlink(name_of(request).c_str());
  ::rmdir(folder_.c_str());  // stays while there are others
}

}  // namespace firstlight
