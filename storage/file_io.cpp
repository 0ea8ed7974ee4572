#include "storage/file_io.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

tl::unexpected<error> fail_errno(const std::string& what) {
  return tl::unexpected(from_errno(errno, what));
}

result<void> sync_folder(const std::filesystem::path& folder) {
  const file_descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail_errno("cannot sync " + folder.string());
  return {};
}

enum class waiting : std::uint8_t { for_disk, none };

result<void> write_new(const std::filesystem::path& path, bytes_view bytes, waiting how) {
  const file_descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("cannot create " + path.string());
  if (auto written = write_at(fd.get(), bytes, 0, "cannot write " + path.string()); !written) return written;
  if (how == waiting::for_disk && ::fsync(fd.get()) != 0) return fail_errno("cannot sync " + path.string());
  return {};
}

result<void> replace_file(const std::filesystem::path& path, bytes_view bytes, waiting how) {
  auto temporary = path;
  static std::atomic<std::uint64_t> number{0};  // two threads may write the same file
  temporary += ".new." + std::to_string(::getpid()) + "." + std::to_string(++number);
  if (auto written = write_new(temporary, bytes, how); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto problem = fail_errno("cannot rename to " + path.string());
    ::unlink(temporary.c_str());
    return problem;
  }
  return how == waiting::for_disk ? sync_folder(path.parent_path()) : result<void>();
}

}  // namespace

result<void> write_file_durably(const std::filesystem::path& path, bytes_view bytes) {
  return replace_file(path, bytes, waiting::for_disk);
}

result<void> write_file(const std::filesystem::path& path, bytes_view bytes) {
  return replace_file(path, bytes, waiting::none);
}

result<shared_bytes> map_file(const std::filesystem::path& path) {
  const file_descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno("cannot open " + path.string());
  if (status.st_size == 0) return fail(errc::corrupt, path.string() + " is empty");
  const auto size = static_cast<std::size_t>(status.st_size);
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (start == MAP_FAILED) return fail_errno("cannot map " + path.string());
  std::shared_ptr<const void> owner(start, [size](const void* at) { ::munmap(const_cast<void*>(at), size); });
  return shared_bytes{{static_cast<const std::byte*>(start), size}, std::move(owner)};
}

}  // namespace firstlight
