#include "apps/image_file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace firstlight {
namespace {

constexpr std::size_t file_bytes_max = 1U << 20U;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

int open_inside(int root, const char* path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // a fifo or device must not stall or steer us
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how));
}

}  // namespace

result<std::string> read_image_file(const std::string& root, const std::string& path) {
  const descriptor base(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (base.get() < 0) return fail(errc::io, root + ": " + std::strerror(errno));
  const descriptor file(open_inside(base.get(), path.c_str()));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::string();
  if (file.get() < 0) return fail(errc::io, path + " of the image: " + std::strerror(errno));
  struct stat attributes {};
  if (fstat(file.get(), &attributes) != 0 || !S_ISREG(attributes.st_mode)) {
    return fail(errc::io, path + " of the image is no regular file");
  }
  std::string text;
  char piece[16384];
  ssize_t got = 0;
  while ((got = read(file.get(), piece, sizeof piece)) > 0) {
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > file_bytes_max)
      return fail(errc::limit_exceeded, path + " of the image is larger than 1 MiB");
  }
  if (got < 0) return fail(errc::io, path + " of the image: " + std::strerror(errno));
  return text;
}

}  // namespace firstlight
