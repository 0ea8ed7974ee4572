#include "storage/oci/file_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace firstlight {

file_source::file_source(std::shared_ptr<const file_descriptor> file, std::string name, std::uint64_t offset,
                         std::uint64_t length)
    : file_(std::move(file)), name_(std::move(name)), position_(offset), end_(offset + length) {}

result<std::size_t> file_source::read(std::span<std::byte> into) {
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), end_ - position_));
  if (length == 0) return 0;
  auto got = read_at(file_->get(), into.first(length), position_, name_);
  if (!got) return got;
  if (*got == 0) return fail(errc::corrupt, name_ + " is shorter than expected");
  position_ += *got;
  return got;
}

result<opened_file> open_regular(const std::string& path) {
  auto file = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK);  // a fifo would wait for who writes
  if (!file) return tl::unexpected(file.error());
  struct stat status {};
  if (fstat(file->get(), &status) != 0) return tl::unexpected(from_errno(errno, path));
  if (!S_ISREG(status.st_mode)) return fail(errc::invalid_argument, path + " is not a file");
  return opened_file{std::make_shared<const file_descriptor>(std::move(*file)),
                     static_cast<std::uint64_t>(status.st_size)};
}

result<std::string> read_all(byte_source& source, std::uint64_t bytes_max, const std::string& limit_name) {
  std::string all;
  std::array<std::byte, 16384> part;
  while (true) {
    auto got = source.read(part);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return all;
    if (all.size() + *got > bytes_max) return fail(errc::limit_exceeded, limit_name);
    all.append(reinterpret_cast<const char*>(part.data()), *got);
  }
}

}  // namespace firstlight
