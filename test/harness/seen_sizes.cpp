#include "test/harness/seen_sizes.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <system_error>

namespace firstlight {
namespace {

[[noreturn]] void broken(const std::filesystem::path& path) {
  throw std::system_error(errno, std::system_category(), path.string());
}

seen_sizes::of_directory directory_at(const std::filesystem::path& path) {
  struct stat st {};
  if (lstat(path.c_str(), &st) != 0) broken(path);
  return {static_cast<std::uint64_t>(st.st_size), static_cast<std::uint64_t>(st.st_blocks)};
}

}  // namespace

seen_sizes see_sizes(const std::filesystem::path& root) {
  seen_sizes seen;
  seen.directories["."] = directory_at(root);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.symlink_status().type() == std::filesystem::file_type::directory)
      seen.directories[entry.path().native().substr(root.native().size() + 1)] = directory_at(entry.path());
  struct statvfs fs {};
  if (statvfs(root.c_str(), &fs) != 0) broken(root);
  seen.blocks = fs.f_blocks;
  seen.block_bytes = fs.f_frsize;
  seen.free_blocks = fs.f_bfree;
  seen.used_inodes = fs.f_files - fs.f_ffree;
  seen.name_bytes_max = fs.f_namemax;
  return seen;
}

}  // namespace firstlight
