#include "test/harness/filesystem/partial_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace firstlight::fstest {

partial_listing::partial_listing(const std::string& path)
    : folder_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) {}

partial_listing::part partial_listing::more(std::size_t room_bytes) {
  std::vector<char> room(room_bytes);
  const auto got = ::getdents64(folder_.get(), room.data(), room.size());
  if (got < 0) return {.error = errno, .names = {}, .end = true};
  part read{.error = 0, .names = {}, .end = got == 0};
  for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
    dirent64 entry{};
    std::memcpy(&entry, room.data() + at, offsetof(dirent64, d_name));
    const std::string name = room.data() + at + offsetof(dirent64, d_name);
    if (name != "." && name != "..") read.names.push_back(name);
    place_ = entry.d_off;
    at += entry.d_reclen;
  }
  return read;
}

partial_listing::part partial_listing::rest() {
  constexpr std::size_t room_bytes = 4096;
  part all;
  while (!all.end) {
    auto next = more(room_bytes);
    all.error = next.error;
    all.end = next.end;
    all.names.insert(all.names.end(), next.names.begin(), next.names.end());
  }
  return all;
}

void partial_listing::seek(std::int64_t place) {
  ::lseek(folder_.get(), place, SEEK_SET);
  place_ = place;
}

}  // namespace firstlight::fstest
