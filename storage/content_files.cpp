#include "storage/content_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "storage/content_name.hpp"

namespace firstlight {
namespace {

/// The 256 folders below `contents/` are made at their first file.
std::string complete_folder(const content_id& id) {
  return std::string("contents/").append(content_name(id).folder());
}
std::string complete_path(const content_id& id) {
  return std::string("contents/").append(content_name(id).view());
}
std::string partial_path(const content_id& id) {
  return "partial/" + id.root.hex();
}
std::string unnamed_path(const std::string& name) {
  return "new/" + name;
}

result<void> make_layout(const std::filesystem::path& folder) {
  for (const auto* name : {"partial", "new", "contents"})
    if (auto made = make_folders(folder / name); !made) return made;
  return {};
}

struct directory_closer {
  void operator()(DIR* open) const { ::closedir(open); }
};
using directory = std::unique_ptr<DIR, directory_closer>;

result<std::vector<std::string>> names_in(int root, const std::string& folder) {
  auto opened = open_at(root, folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::make_unexpected(opened.error());
  const directory listing(::fdopendir(opened->get()));
  if (!listing) return tl::make_unexpected(from_errno(errno, folder));
  opened->release();
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(listing.get())) {
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

content_files::content_files(content_files&& other) noexcept
    : name_(std::move(other.name_)), root_(std::move(other.root_)), next_(other.next_.load()) {}

result<content_files> content_files::open(const std::filesystem::path& folder) {
  if (auto made = make_layout(folder); !made) return tl::make_unexpected(made.error());
  content_files files;
  files.name_ = folder.string();
  auto root = open_at(AT_FDCWD, files.name_, O_RDONLY | O_DIRECTORY);
  if (!root) return tl::make_unexpected(root.error());
  files.root_ = std::move(*root);
  const auto left_over = names_in(files.root_.get(), "new");
  if (!left_over) return tl::make_unexpected(left_over.error());
  for (const auto& name : *left_over) files.remove_unnamed(name);
  return files;
}

result<void> content_files::write_complete(const content_id& id, bytes_view bytes) {
  const auto name = std::to_string(next_++);
  const auto path = unnamed_path(name);
  const auto file = open_at(root_.get(), path, O_WRONLY | O_CREAT | O_EXCL);
  if (!file) return tl::make_unexpected(file.error());
  auto done = write_at(file->get(), bytes, 0, path);
  // The folder is there but for the first file in it.
  if (done && ::renameat(root_.get(), path.c_str(), root_.get(), complete_path(id).c_str()) != 0)
    done = errno == ENOENT ? promote_unnamed(name, id) : tl::make_unexpected(from_errno(errno, path));
  if (!done) remove_unnamed(name);
  return done;
}

result<file_descriptor> content_files::open_complete(const content_id& id) const {
  return open_at(root_.get(), complete_path(id), O_RDONLY);
}
result<file_descriptor> content_files::open_partial(const content_id& id) const {
  return open_at(root_.get(), partial_path(id), O_RDWR | O_CREAT);
}
result<void> content_files::promote(const content_id& id) const {
  if (auto made = make_complete_folder(id); !made) return made;
  return move_file(partial_path(id), complete_path(id));
}
result<void> content_files::demote(const content_id& id) const {
  return move_file(complete_path(id), partial_path(id));
}
result<void> content_files::remove_complete(const content_id& id) const {
  return remove_file(complete_path(id));
}
result<void> content_files::remove_partial(const content_id& id) const {
  return remove_file(partial_path(id));
}

result<void> content_files::make_complete_folder(const content_id& id) const {
  const auto folder = complete_folder(id);
  if (::mkdirat(root_.get(), folder.c_str(), 0700) != 0 && errno != EEXIST)
    return tl::make_unexpected(from_errno(errno, folder));
  return {};
}

result<content_files::unnamed> content_files::new_unnamed() {
  unnamed made{std::to_string(next_++), {}};
  auto file = open_at(root_.get(), unnamed_path(made.name), O_RDWR | O_CREAT | O_EXCL);
  if (!file) return tl::make_unexpected(file.error());
  made.file = std::move(*file);
  return made;
}

result<void> content_files::promote_unnamed(const std::string& name, const content_id& id) const {
  if (auto made = make_complete_folder(id); !made) return made;
  return move_file(unnamed_path(name), complete_path(id));
}

void content_files::remove_unnamed(const std::string& name) const {
  // What cannot be deleted now is deleted by the next open.
  ::unlinkat(root_.get(), unnamed_path(name).c_str(), 0);
}

result<void> content_files::sync() const {
  if (::syncfs(root_.get()) != 0) return tl::make_unexpected(from_errno(errno, "cannot sync " + name_));
  return {};
}

result<void> content_files::visit_complete(const visitor& visit) const {
  const auto folders = names_in(root_.get(), "contents");
  if (!folders) return tl::make_unexpected(folders.error());
  for (const auto& folder : *folders)
    if (auto done = visit_folder("contents/" + folder, folder, visit); !done) return done;
  return {};
}

result<void> content_files::visit_partial(const visitor& visit) const {
  return visit_folder("partial", "", visit);
}

result<void> content_files::visit_folder(const std::string& folder, const std::string& prefix,
                                         const visitor& visit) const {
  const auto names = names_in(root_.get(), folder);
  if (!names) return tl::make_unexpected(names.error());
  for (const auto& name : *names) {
    const auto path = folder + "/" + name;
    const auto id = parse_hex_digest(prefix + name);
    struct stat status {};
    if (!id || ::fstatat(root_.get(), path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      if (auto removed = remove_file(path); !removed) return removed;
      continue;
    }
    visit(content_id{*id}, static_cast<std::uint64_t>(status.st_size));
  }
  return {};
}

result<void> content_files::remove_file(const std::string& path) const {
  if (::unlinkat(root_.get(), path.c_str(), 0) != 0 && errno != ENOENT)
    return tl::make_unexpected(from_errno(errno, path));
  return {};
}

result<void> content_files::move_file(const std::string& from, const std::string& to) const {
  if (::renameat(root_.get(), from.c_str(), root_.get(), to.c_str()) != 0)
    return tl::make_unexpected(from_errno(errno, from));
  return {};
}

}  // namespace firstlight
