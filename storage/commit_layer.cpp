#include "storage/commit_layer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "model/overlay_names.hpp"
#include "schemas/toc_paths.hpp"
#include "storage/archive/tar_writer.hpp"
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

result<std::vector<xattr>> attributes_of(const fs::path& path) {
  std::string names(xattr_bytes_max, '\0');
  const auto listed = llistxattr(path.c_str(), names.data(), names.size());
  if (listed < 0 && errno != EOPNOTSUPP)
    return tl::unexpected(from_errno(errno, "list the attributes of " + path.string()));
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

result<std::vector<std::string>> names_in(const fs::path& folder) {
  std::error_code problem;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem))
    names.push_back(entry->path().filename().string());
  if (problem) return fail(errc::io, "read " + folder.string() + ": " + problem.message());
  std::sort(names.begin(), names.end());
  return names;
}

/// Where entries are looked for: in the read-write layer, or, below a folder that was renamed, in all that
/// shows.
enum class extent : std::uint8_t { changed, all };

class committer {
 public:
  committer(const toc_view& toc, const commit_layer_request& request, int file)
      : toc_(toc), request_(request), file_(file), tar_([this](bytes_view bytes) { return put(bytes); }) {}

  result<committed_layer> commit() {
    auto done = add_root();
    if (done) done = add_folder("", extent::changed);
    if (done) done = tar_.end();
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

  result<void> add_root() {
    struct stat st {};
    if (lstat(request_.shown.c_str(), &st) != 0)
      return tl::unexpected(from_errno(errno, "look at " + request_.shown.string()));
    const auto image = toc_.inode(root_inode);
    const bool same = st.st_mode == image.mode && st.st_uid == image.uid && st.st_gid == image.gid &&
                      st.st_mtim.tv_sec == image.modified.seconds &&
                      st.st_mtim.tv_nsec == static_cast<long>(image.modified.nanoseconds);
    return same ? result<void>{} : add_entry(".", request_.shown, st);
  }

  result<void> add_folder(const std::string& path, extent what) {
    const auto names = names_in((what == extent::changed ? request_.upper : request_.shown) / path);
    if (!names) return tl::unexpected(names.error());
    for (const auto& name : *names)
      if (auto added = add(path.empty() ? name : path + "/" + name, what); !added) return added;
    return {};
  }

  result<void> add(const std::string& path, extent what) {
    if (request_.stop != nullptr && *request_.stop) return fail(errc::cancelled, "the node is stopping");
    struct stat st {};
    const auto layer = request_.upper / path;
    if (what == extent::changed && lstat(layer.c_str(), &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0)
      return add_whiteout(fs::path(path).parent_path() /
                          (std::string(whiteout_prefix) + fs::path(path).filename().string()));
    if (fs::path(path).filename().string().starts_with(whiteout_prefix))
      return fail(errc::invalid_argument,
                  path + " would be a whiteout in a layer; rename it on the mount, then commit again");
    const auto shown = request_.shown / path;
    if (lstat(shown.c_str(), &st) != 0) {
      if (errno == ENOENT) return {};  // removed meanwhile
      return tl::unexpected(from_errno(errno, "look at " + shown.string()));
    }
    if (S_ISSOCK(st.st_mode)) return {};
    if (!S_ISDIR(st.st_mode)) return add_entry(path, shown, st);
    if (auto added = add_entry(path, shown, st); !added) return added;
    if (what == extent::all) return add_folder(path, what);
    const auto origin = attribute(layer, layer_mark::redirect);
    const bool moved = !origin.empty() && origin != "/" + path;
    const bool hides = moved || attribute(layer, layer_mark::opaque) == "y";
    const auto hidden = find_path(toc_, path);
    if (hides && hidden && toc_.inode(*hidden).type == file_type::directory)
      if (auto added = add_whiteout(path + "/" + std::string(opaque_whiteout)); !added) return added;
    return add_folder(path, moved ? extent::all : extent::changed);
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

  result<void> add_entry(const std::string& path, const fs::path& file, const struct stat& st) {
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
    auto xattrs = attributes_of(file);
    if (!xattrs) return tl::unexpected(xattrs.error());
    entry.xattrs = std::move(*xattrs);
    if (S_ISLNK(st.st_mode)) {
      std::error_code problem;
      entry.link_target = fs::read_symlink(file, problem).string();
      if (problem) return fail(errc::io, "read the link " + file.string() + ": " + problem.message());
    }
    if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
      entry.device_major = major(st.st_rdev);
      entry.device_minor = minor(st.st_rdev);
    }
    if (!S_ISREG(st.st_mode)) return add_empty(entry);
    return add_file(entry, file, static_cast<std::uint64_t>(st.st_size));
  }

  result<void> add_file(const layer_entry& entry, const fs::path& path, std::uint64_t size) {
    auto file = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW);
    if (!file) return tl::unexpected(file.error());
    if (auto begun = tar_.begin(entry, size); !begun) return begun;
    buffer_.resize(read_bytes);
    for (std::uint64_t offset = 0; offset < size;) {
      if (request_.stop != nullptr && *request_.stop) return fail(errc::cancelled, "the node is stopping");
      const auto part = std::span(buffer_).first(std::min<std::uint64_t>(read_bytes, size - offset));
      const auto got = read_at(file->get(), part, offset, "read " + path.string());
      if (!got) return tl::unexpected(got.error());
      if (*got != part.size())
        return fail(errc::busy, path.string() + " became shorter while it was read; try again");
      if (auto written = tar_.data(part); !written) return written;
      offset += part.size();
    }
    return tar_.end_entry();
  }

  const toc_view& toc_;
  const commit_layer_request& request_;
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
