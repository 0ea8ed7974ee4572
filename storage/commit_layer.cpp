#include "storage/commit_layer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "model/overlay_names.hpp"
#include "schemas/toc_paths.hpp"
#include "storage/archive/tar_writer.hpp"
#include "storage/held_folder.hpp"
#include "storage/new_file.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t read_bytes = 1U << 20U;
constexpr std::size_t xattr_bytes_max = 64U << 10U;  // XATTR_SIZE_MAX and XATTR_LIST_MAX

std::string attribute(const fs::path& path, const char* name) {
  std::string value(xattr_bytes_max, '\0');
  const auto bytes = lgetxattr(path.c_str(), name, value.data(), value.size());
  value.resize(bytes < 0 ? 0 : static_cast<std::size_t>(bytes));
  return value;
}

/// `told` is how people know it.
result<std::vector<xattr>> attributes_of(const fs::path& path, const fs::path& told) {
  std::string names(xattr_bytes_max, '\0');
  const auto listed = llistxattr(path.c_str(), names.data(), names.size());
  if (listed < 0 && errno != EOPNOTSUPP)
    return tl::unexpected(from_errno(errno, "list the attributes of " + told.string()));
  std::vector<xattr> all;
  for (std::size_t at = 0; listed > 0 && at < static_cast<std::size_t>(listed); at = names.find('\0', at) + 1)
    all.push_back({names.c_str() + at, attribute(path, names.c_str() + at)});
  std::sort(all.begin(), all.end());
  return all;
}

layer_entry_type type_of(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return layer_entry_type::directory;
    case S_IFLNK:
      return layer_entry_type::symlink;
    case S_IFCHR:
      return layer_entry_type::character_device;
    case S_IFBLK:
      return layer_entry_type::block_device;
    case S_IFIFO:
      return layer_entry_type::fifo;
    default:
      return layer_entry_type::regular;
  }
}

result<std::vector<std::string>> names_in(const held_folder& folder, const std::string& path) {
  std::error_code problem;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder.path_of(""), problem);
       !problem && entry != fs::directory_iterator(); entry.increment(problem))
    names.push_back(entry->path().filename().string());
  if (problem) return fail(errc::io, "read the folder '" + path + "': " + problem.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// An entry by its folder: what programs do meanwhile cannot lead out of the mount.
struct held_entry {
  held_folder folder;
  std::string name;
  fs::path told;  ///< how people know it

  [[nodiscard]] fs::path path() const { return folder.path_of(name); }
};

/// Where entries are looked for: in the read-write layer, or, below a folder that was renamed, in all that
/// shows.
enum class extent : std::uint8_t { changed, all };

class committer {
 public:
  committer(const toc_view& toc, const commit_layer_request& request, int file)
      : toc_(toc), request_(request), file_(file), tar_([this](bytes_view bytes) { return put(bytes); }) {}

  result<committed_layer> commit() {
    if (auto opened = open_roots(); !opened) return tl::unexpected(opened.error());
    auto done = add_root();
    if (done) done = add_folder("", extent::changed);
    if (done) done = tar_.end();
    // It was there when its folder was read.
    if (!done && done.error().code == errc::not_found)
      return fail(errc::busy, done.error().detail + "; it was removed while it was read, try again");
    if (!done) return tl::unexpected(done.error());
    made_.diff_id = digest_.finish();
    return made_;
  }

 private:
  result<void> put(bytes_view bytes) {
    if (auto written = write_at(file_, bytes, made_.bytes, "write the layer"); !written) return written;
    made_.bytes += bytes.size();
    digest_.update(bytes);
    return {};
  }

  result<void> open_roots() {
    for (auto [root, path] : {std::pair(&shown_, &request_.shown), std::pair(&upper_, &request_.upper)}) {
      auto opened = open_at(AT_FDCWD, path->string(), O_PATH | O_DIRECTORY);
      if (!opened) return tl::unexpected(opened.error());
      *root = std::move(*opened);
    }
    return {};
  }

  result<held_entry> hold(const file_descriptor& root, const std::string& path) const {
    const fs::path whole(path);
    auto folder = held_folder::open(root.get(), whole.parent_path());
    if (!folder) return tl::unexpected(folder.error());
    return held_entry{std::move(*folder), whole.filename().string(), request_.shown / path};
  }

  result<void> add_root() {
    struct stat st {};
    if (lstat(request_.shown.c_str(), &st) != 0)
      return tl::unexpected(from_errno(errno, "look at " + request_.shown.string()));
    const auto image = toc_.inode(root_inode);
    const bool same = st.st_mode == image.mode && st.st_uid == image.uid && st.st_gid == image.gid &&
                      st.st_mtim.tv_sec == image.modified.seconds &&
                      st.st_mtim.tv_nsec == static_cast<long>(image.modified.nanoseconds);
    if (same) return {};
    auto root = held_folder::open(shown_.get(), "");
    if (!root) return tl::unexpected(root.error());
    return add_entry(".", {std::move(*root), {}, request_.shown}, st);
  }

  result<void> add_folder(const std::string& path, extent what) {
    const auto names = held_folder::open((what == extent::changed ? upper_ : shown_).get(), path)
                           .and_then([&](const held_folder& folder) { return names_in(folder, path); });
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names)
      if (auto added = add(path.empty() ? name : path + "/" + name, what); !added) return added;
    return {};
  }

  result<void> add(const std::string& path, extent what) {
    const auto inside = add_alone(path, what);
    if (!inside) return tl::unexpected(inside.error());
    return *inside ? add_folder(path, **inside) : result<void>{};
  }

  static bool is_whiteout(const held_entry& layer) {
    struct stat st {};
    return layer.folder.look_at(layer.name, st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
  }

  /// @returns which entries of it are to be added too, if it is a folder
  result<std::optional<extent>> add_alone(const std::string& path, extent what) {
    const auto nothing_inside = [](const result<void>& done) -> result<std::optional<extent>> {
      if (!done) return tl::unexpected(done.error());
      return std::nullopt;
    };
    if (request_.stop != nullptr && *request_.stop) return fail(errc::cancelled, "the node is stopping");
    const auto found = hold(what == extent::changed ? upper_ : shown_, path);
    if (!found && found.error().code == errc::not_found) return std::nullopt;  // removed meanwhile
    if (!found) return tl::unexpected(found.error());
    if (what == extent::changed && is_whiteout(*found))
      return nothing_inside(
          add_whiteout(fs::path(path).parent_path() /
                       (std::string(whiteout_prefix) + fs::path(path).filename().string())));
    if (fs::path(path).filename().string().starts_with(whiteout_prefix))
      return fail(errc::invalid_argument,
                  path + " would be a whiteout in a layer; rename it on the mount, then commit again");
    const auto shown = hold(shown_, path);
    if (!shown && shown.error().code == errc::not_found) return std::nullopt;  // removed meanwhile
    if (!shown) return tl::unexpected(shown.error());
    struct stat st {};
    if (const int problem = shown->folder.look_at(shown->name, st); problem != 0) {
      if (problem == ENOENT) return std::nullopt;  // removed meanwhile
      return tl::unexpected(from_errno(problem, "look at " + shown->told.string()));
    }
    if (S_ISSOCK(st.st_mode)) return std::nullopt;
    if (auto added = add_entry(path, *shown, st); !added || !S_ISDIR(st.st_mode))
      return nothing_inside(added);
    if (what == extent::all) return what;
    return add_marks(path, *found);
  }

  /// What overlayfs notes of a folder.
  result<std::optional<extent>> add_marks(const std::string& path, const held_entry& layer) {
    const auto origin = attribute(layer.path(), layer_mark::redirect);
    const bool moved = !origin.empty() && origin != "/" + path;
    const bool hides = moved || attribute(layer.path(), layer_mark::opaque) == "y";
    const auto hidden = find_path(toc_, path);
    if (hides && hidden && toc_.inode(*hidden).type == file_type::directory)
      if (auto added = add_whiteout(path + "/" + std::string(opaque_whiteout)); !added)
        return tl::unexpected(added.error());
    return moved ? extent::all : extent::changed;
  }

  result<void> add_whiteout(const fs::path& name) {
    ++made_.entries;
    layer_entry entry;
    entry.path = name.string();
    entry.permissions = 0600;
    return add_empty(entry);
  }

  result<void> add_empty(const layer_entry& entry) {
    return tar_.begin(entry).and_then([&] { return tar_.end_entry(); });
  }

  result<void> add_entry(const std::string& path, const held_entry& file, const struct stat& st) {
    ++made_.entries;
    layer_entry entry;
    entry.path = path;
    entry.type = type_of(st.st_mode);
    entry.permissions = st.st_mode & 07777U;
    entry.uid = st.st_uid;
    entry.gid = st.st_gid;
    entry.modified = {st.st_mtim.tv_sec, static_cast<std::uint32_t>(st.st_mtim.tv_nsec)};
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
      const auto [first, is_new] = linked_.try_emplace(st.st_ino, path);
      if (!is_new) {
        entry.type = layer_entry_type::hard_link;
        entry.link_target = first->second;
        return add_empty(entry);
      }
    }
    auto xattrs = attributes_of(file.path(), file.told);
    if (!xattrs) return tl::unexpected(xattrs.error());
    entry.xattrs = std::move(*xattrs);
    if (S_ISLNK(st.st_mode)) {
      std::error_code problem;
      entry.link_target = fs::read_symlink(file.path(), problem).string();
      if (problem) return fail(errc::io, "read the link " + file.told.string() + ": " + problem.message());
    }
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
      entry.device_major = major(st.st_rdev);
      entry.device_minor = minor(st.st_rdev);
    }
    if (!S_ISREG(st.st_mode)) return add_empty(entry);
    return add_file(entry, file, static_cast<std::uint64_t>(st.st_size));
  }

  result<void> add_file(const layer_entry& entry, const held_entry& from, std::uint64_t size) {
    // What has become a fifo meanwhile is not waited for.
    auto file = open_at(from.folder.get(), from.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file) return fail(file.error(), "read " + from.told.parent_path().string());
    if (auto begun = tar_.begin(entry, size); !begun) return begun;
    buffer_.resize(read_bytes);
    for (std::uint64_t offset = 0; offset < size;) {
      if (request_.stop != nullptr && *request_.stop) return fail(errc::cancelled, "the node is stopping");
      const auto part = std::span(buffer_).first(std::min<std::uint64_t>(read_bytes, size - offset));
      const auto got = read_at(file->get(), part, offset, "read " + from.told.string());
      if (!got) return tl::unexpected(got.error());
      if (*got != part.size())
        return fail(errc::busy, from.told.string() + " became shorter while it was read; try again");
      if (auto written = tar_.data(part); !written) return written;
      offset += part.size();
    }
    return tar_.end_entry();
  }

  const toc_view& toc_;
  const commit_layer_request& request_;
  file_descriptor shown_;
  file_descriptor upper_;
  int file_;
  tar_writer tar_;
  sha256_stream digest_;
  committed_layer made_;
  std::unordered_map<ino_t, std::string> linked_;
  std::vector<std::byte> buffer_;
};

}  // namespace

result<committed_layer> commit_layer(const toc_view& toc, const commit_layer_request& request) {
  auto file = new_file::create(request.file);
  if (!file) return tl::unexpected(file.error());
  auto made = committer(toc, request, file->get()).commit();
  if (!made) return made;
  if (auto kept = file->keep(); !kept) return tl::unexpected(kept.error());
  return made;
}

}  // namespace firstlight
