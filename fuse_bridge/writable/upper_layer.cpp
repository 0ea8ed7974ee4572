#include "fuse_bridge/writable/upper_layer.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>

#include "fuse_bridge/writable/layer_marks.hpp"
#include "fuse_bridge/writable/work_folders.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

os_result<void> rename_with(const std::string& from, const std::string& to, unsigned flags) {
  return outcome_of(renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags));
}

bool is_folder(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

/// Of a folder only whiteouts can be left: what is in the work folder holds nothing that anybody sees. That
/// its name is gone has succeeded already, so want of a descriptor to list it by must not count.
void discard(const std::string& work_name) {
  if (rmdir(work_name.c_str()) == 0) return;
  std::error_code ignored;  // the next mount removes what stays
  fs::remove_all(work_name, ignored);
}

os_result<void> copy_attribute(const std::string& from, const std::string& to, const char* name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const auto bytes = lgetxattr(from.c_str(), name, value.data(), value.size());
  if (bytes < 0) return refuse_as_system();
  return outcome_of(lsetxattr(to.c_str(), name, value.data(), static_cast<std::size_t>(bytes), 0));
}

}  // namespace

std::string descriptor_path(int descriptor) {
  return "/proc/self/fd/" + std::to_string(descriptor);
}

os_result<void> copy_attributes(const std::string& from, const std::string& to) {
  struct stat st {};
  if (lstat(from.c_str(), &st) != 0) return refuse_as_system();
  if (lchown(to.c_str(), st.st_uid, st.st_gid) != 0) return refuse_as_system();
  if (!S_ISLNK(st.st_mode) && chmod(to.c_str(), st.st_mode & 07777U) != 0) return refuse_as_system();
  std::string names(XATTR_LIST_MAX, '\0');
  const auto listed = llistxattr(from.c_str(), names.data(), names.size());
  if (listed < 0) return refuse_as_system();
  for (std::size_t at = 0; at < static_cast<std::size_t>(listed); at += names.find('\0', at) - at + 1)
    if (auto copied = copy_attribute(from, to, names.c_str() + at); !copied) return copied;
  const std::array times{st.st_atim, st.st_mtim};
  return outcome_of(utimensat(AT_FDCWD, to.c_str(), times.data(), AT_SYMLINK_NOFOLLOW));
}

result<std::unique_ptr<upper_layer>> upper_layer::open(const writable_layer& folders) {
  const auto work = work_folders(folders.work).making;
  std::error_code problem;
  fs::remove_all(work, problem);
  if (problem) return fail(errc::io, "empty " + work.string() + ": " + problem.message());
  for (const auto& folder : {folders.upper, work})
    if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  return std::unique_ptr<upper_layer>(new upper_layer(folders.upper, work));
}

upper_layer::~upper_layer() {
  std::error_code ignored;  // the next one removes it
  fs::remove_all(work_, ignored);
}

std::string upper_layer::at(std::string_view path) const {
  return (upper_ / path).string();
}

work_file upper_layer::new_work_file() {
  return work_file((work_ / std::to_string(++next_)).string());
}

os_result<work_file> upper_layer::new_whiteout() {
  auto made = new_work_file();
  if (mknod(made.c_str(), S_IFCHR, 0) != 0) return refuse_as_system();
  return made;
}

os_result<void> upper_layer::place(const std::string& made, std::string_view path) {
  auto placed = rename_with(made, at(path), RENAME_NOREPLACE);
  if (placed || placed.error() != EEXIST) return placed;
  if (!is_folder(made)) return rename_with(made, at(path), 0);
  placed = rename_with(made, at(path), RENAME_EXCHANGE);
  if (placed) ::unlink(made.c_str());  // the whiteout; it has its name whether that goes or not
  return placed;
}

os_result<void> upper_layer::cover(std::string_view path) {
  if (mknod(at(path).c_str(), S_IFCHR, 0) == 0) return {};
  if (errno != EEXIST) return refuse_as_system();
  auto whiteout = new_whiteout();
  if (!whiteout) return refuse(whiteout.error());
  const bool folder = is_folder(at(path));
  const auto covered = rename_with(whiteout->path(), at(path), folder ? RENAME_EXCHANGE : 0);
  if (!covered) return covered;
  if (folder) discard(whiteout->path());
  whiteout->moved();
  return {};
}

os_result<void> upper_layer::remove(std::string_view path) {
  if (!is_folder(at(path))) return outcome_of(unlink(at(path).c_str()));
  auto out_of_sight = new_work_file();
  const auto moved = rename_with(at(path), out_of_sight.path(), 0);
  if (moved) discard(out_of_sight.path());
  out_of_sight.moved();
  return moved;
}

os_result<void> upper_layer::move(std::string_view from, std::string_view to, bool covers) {
  const auto source = at(from);
  const auto target = at(to);
  auto moved = rename_with(source, target, covers ? RENAME_WHITEOUT : 0);
  if (moved || moved.error() != ENOTDIR) return moved;
  // A folder over a whiteout, which then is where the folder was.
  moved = rename_with(source, target, RENAME_EXCHANGE);
  return moved && !covers ? outcome_of(unlink(source.c_str())) : moved;
}

os_result<void> upper_layer::exchange(std::string_view one, std::string_view other) {
  return rename_with(at(one), at(other), RENAME_EXCHANGE);
}

os_result<void> upper_layer::clear(std::string_view path) {
  const auto folder = at(path);
  auto empty = new_work_file();
  auto cleared = outcome_of(mkdir(empty.c_str(), 0700));
  if (cleared) cleared = copy_attributes(folder, empty.path());
  // Without its whiteouts it would show the image's entries.
  if (cleared) cleared = outcome_of(lsetxattr(empty.c_str(), layer_mark::opaque, "y", 1, 0));
  if (cleared) lremovexattr(empty.c_str(), layer_mark::redirect);  // most have none
  if (cleared) cleared = rename_with(empty.path(), folder, RENAME_EXCHANGE);
  if (!cleared) return cleared;
  discard(empty.path());
  empty.moved();
  return {};
}

os_result<void> upper_layer::link(std::string_view path, std::string_view other) {
  if (::link(at(path).c_str(), at(other).c_str()) == 0) return {};
  return errno == EEXIST ? replace_by_link(path, other) : refuse_as_system();
}

os_result<void> upper_layer::replace(const std::string& made, std::string_view path) {
  return rename_with(made, at(path), 0);
}

os_result<void> upper_layer::replace_by_link(std::string_view path, std::string_view other) {
  // Stays there if the other is a name of the file already: then rename(2) does nothing.
  const auto made = new_work_file();
  const auto linked = outcome_of(::link(at(path).c_str(), made.c_str()));
  return linked ? rename_with(made.path(), at(other), 0) : linked;
}

}  // namespace firstlight
