#include "logins/small_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "model/secret_text.hpp"

namespace firstlight {
namespace {

tl::unexpected<error> os_failure(const std::filesystem::path& path) {
  return fail(errno == EACCES ? errc::denied : errc::io, path.string() + ": " + std::strerror(errno));
}

result<std::optional<std::string>> read_whole(int file, const std::filesystem::path& path,
                                              std::uint32_t bytes_max) {
  struct stat said {};
  if (fstat(file, &said) != 0) return os_failure(path);
  if (!S_ISREG(said.st_mode)) return fail(errc::io, path.string() + " is no file");
  std::string text;
  char part[4096];
  while (true) {
    const ssize_t got = ::read(file, part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_failure(path);
    if (got == 0) return std::optional(std::move(text));
    text.append(part, static_cast<std::size_t>(got));
    if (text.size() <= bytes_max) continue;
    wipe(text);
    return fail(errc::limit_exceeded,
                path.string() + " is larger than " + std::to_string(bytes_max) + " bytes");
  }
}

}  // namespace

result<std::optional<std::string>> read_small_file(const std::filesystem::path& path,
                                                   std::uint32_t bytes_max) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::optional<std::string>{};
  if (file < 0) return os_failure(path);
  auto text = read_whole(file, path, bytes_max);
  ::close(file);
  return text;
}

}  // namespace firstlight
