#include "storage/snapshot_folders.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <string_view>

#include "model/snapshot_mounts.hpp"
#include "storage/folder_attributes.hpp"
#include "storage/folder_walk.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {
namespace {

constexpr std::string_view aside_prefix = "dropped-";

result<void> make_folder(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) != 0 || chmod(path.c_str(), mode) != 0)  // whatever the umask is
    return tl::unexpected(from_errno(errno, "make " + path));
  return {};
}

result<void> remove_whole(const std::filesystem::path& path) {
  std::error_code problem;
  std::filesystem::remove_all(path, problem);
  if (problem) return tl::unexpected(from_errno(problem.value(), "remove " + path.string()));
  return {};
}

/// Each hard-linked file once, as it is on the disk.
class usage_count {
 public:
  void add(const struct stat& found) {
    if (found.st_nlink > 1 && !S_ISDIR(found.st_mode) && !linked_.insert({found.st_dev, found.st_ino}).second)
      return;
    total.bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
    ++total.inodes;
  }
  snapshot_usage total;

 private:
  std::set<std::pair<dev_t, ino_t>> linked_;
};

}  // namespace

result<void> snapshot_folders::make(std::uint64_t id, const std::filesystem::path& root) {
  if (auto made = make_folders(folder_); !made) return made;
  if (auto gone = remove(id); !gone) return gone;
  const auto files = snapshot_files(folder_.string(), id);
  auto made = make_folder(std::filesystem::path(files).parent_path().string(), 0700)
                  .and_then([&] { return make_folder(files, 0755); })
                  .and_then([&] { return make_folder(snapshot_work(folder_.string(), id), 0711); });
  if (!made || root.empty()) return made;
  return copy_folder_attributes(root, files);
}

result<void> snapshot_folders::remove(std::uint64_t id) {
  return remove_whole(folder_ / std::to_string(id));
}

result<std::set<std::uint64_t>> snapshot_folders::ids() const {
  std::set<std::uint64_t> found;
  std::error_code problem;
  for (const auto& child : std::filesystem::directory_iterator(folder_, problem)) {
    const auto name = child.path().filename().string();
    std::uint64_t id = 0;
    const auto* const end = name.data() + name.size();
    const auto read = std::from_chars(name.data(), end, id);
    if (read.ec == std::errc() && read.ptr == end) found.insert(id);
  }
  if (problem && problem != std::errc::no_such_file_or_directory)
    return tl::unexpected(from_errno(problem.value(), "read " + folder_.string()));
  return found;
}

result<std::filesystem::path> snapshot_folders::set_aside(const std::set<std::uint64_t>& ids) {
  std::error_code problem;
  std::uint64_t number = 1;
  const auto aside = [&] { return folder_ / (std::string(aside_prefix) + std::to_string(number)); };
  while (std::filesystem::exists(aside(), problem)) ++number;
  if (auto made = make_folder(aside().string(), 0700); !made) return tl::unexpected(made.error());
  for (const auto id : ids) {
    const auto from = folder_ / std::to_string(id);
    std::filesystem::rename(from, aside() / std::to_string(id), problem);
    if (problem) return tl::unexpected(from_errno(problem.value(), "move " + from.string()));
  }
  return sync().map([&] { return aside(); });
}

result<void> snapshot_folders::keep_only(const std::set<std::uint64_t>& ids) {
  if (auto made = make_folders(folder_); !made) return made;
  std::set<std::string> kept;
  for (const auto id : ids) kept.insert(std::to_string(id));
  std::error_code problem;
  for (const auto& child : std::filesystem::directory_iterator(folder_, problem)) {
    const auto name = child.path().filename().string();
    if (kept.contains(name) || name.starts_with(aside_prefix)) continue;
    if (auto gone = remove_whole(child.path()); !gone) return gone;
  }
  if (problem) return tl::unexpected(from_errno(problem.value(), "read " + folder_.string()));
  return {};
}

result<snapshot_usage> snapshot_folders::measure(std::uint64_t id) const {
  const auto files = snapshot_files(folder_.string(), id);
  usage_count counted;
  struct stat root {};
  if (lstat(files.c_str(), &root) != 0)
    return errno == ENOENT ? result<snapshot_usage>() : tl::unexpected(from_errno(errno, "measure " + files));
  counted.add(root);
  const auto walked = walk_folder(files, [&](const struct stat& found) { counted.add(found); });
  if (!walked && walked.error().code != errc::not_found) return tl::unexpected(walked.error());
  return counted.total;
}

result<void> snapshot_folders::sync() const {
  const auto opened = open_at(AT_FDCWD, folder_, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::unexpected(opened.error());
  if (syncfs(opened->get()) != 0) return tl::unexpected(from_errno(errno, "sync " + folder_.string()));
  return {};
}

}  // namespace firstlight
