#include "apps/containerd_config_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <sstream>
#include <toml.hpp>

namespace firstlight {
namespace {

namespace fs = std::filesystem;

tl::unexpected<error> fail_errno(const std::string& what) {
  const auto reason = errno;
  const auto code = reason == EACCES || reason == EPERM ? errc::denied
                    : reason == ENOSPC                  ? errc::no_space
                                                        : errc::io;
  return fail(code, what + ": " + std::strerror(reason));
}

using flat_values = std::map<toml_path, std::string>;

void flatten(const toml::value& value, const toml_path& path, flat_values& all) {
  if (value.is_table()) {
    for (const auto& [key, inner] : value.as_table()) {
      auto longer = path;
      longer.push_back(key);
      flatten(inner, longer, all);
    }
  } else if (value.is_array()) {
    all[path] = std::to_string(value.as_array().size()) + " values";
    for (std::size_t at = 0; at < value.as_array().size(); ++at) {
      auto longer = path;
      longer.push_back(std::to_string(at));
      flatten(value.as_array()[at], longer, all);
    }
  } else {
    std::ostringstream text;
    text << value;
    all[path] = value.is_string() ? toml_string(value.as_string().str) : text.str();
  }
}

/// Errors: `invalid_argument`, one line.
result<flat_values> parsed(std::string_view text) {
  try {
    std::istringstream in{std::string(text)};
    flat_values all;
    flatten(toml::parse(in, "config"), {}, all);
    return all;
  } catch (const toml::exception& problem) {
    return fail(errc::invalid_argument, "line " + std::to_string(problem.location().line()) + " is no TOML");
  } catch (const std::exception&) {
    return fail(errc::invalid_argument, "is no TOML");
  }
}

const std::string* value_at(const flat_values& all, const toml_path& path) {
  const auto found = all.find(path);
  return found == all.end() ? nullptr : &found->second;
}

/// The first path of another owner whose value `after` lacks or has differently. Null: none.
const toml_path* strange_change(const flat_values& before, const flat_values& after,
                                const std::string& snapshotter) {
  for (const auto& [path, value] : before) {
    const auto* other = value_at(after, path);
    if ((other == nullptr || *other != value) && !is_of_snapshotter(path, snapshotter)) return &path;
  }
  return nullptr;
}

class open_file {
 public:
  explicit open_file(int fd) : fd_(fd) {}
  ~open_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

struct attributes {
  mode_t mode = 0644;
  uid_t owner = 0;
  gid_t group = 0;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

result<void> write_new(const fs::path& file, std::string_view text, const attributes& of) {
  const open_file out(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (out.fd() < 0) return fail_errno("cannot create " + file.string());
  const bool done = write_all(out.fd(), text) && ::fchown(out.fd(), of.owner, of.group) == 0 &&
                    ::fchmod(out.fd(), of.mode) == 0 && ::fsync(out.fd()) == 0;
  return done ? result<void>() : fail_errno("cannot write " + file.string());
}

result<void> sync_folder(const fs::path& folder) {
  const open_file in(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (in.fd() < 0 || ::fsync(in.fd()) != 0) return fail_errno("cannot sync " + folder.string());
  return {};
}

result<void> replace(const fs::path& file, std::string_view text, const attributes& of) {
  const auto temporary = file.string() + ".new-" + std::to_string(::getpid());
  auto done = write_new(temporary, text, of);
  if (done && ::rename(temporary.c_str(), file.c_str()) != 0)
    done = fail_errno("cannot replace " + file.string());
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  return sync_folder(file.parent_path());
}

/// Where a link leads; the path itself if it leads nowhere or is none.
fs::path target_of(const fs::path& file) {
  std::error_code problem;
  auto whole = fs::weakly_canonical(file, problem);
  return problem ? file : whole;
}

}  // namespace

result<std::string> read_containerd_config(const fs::path& file, const install_limits& limits) {
  const open_file in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.fd() < 0 && errno == ENOENT) return std::string();
  if (in.fd() < 0) return fail_errno("cannot read " + file.string());
  std::string text(limits.config_bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(in.fd(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("cannot read " + file.string());
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limits.config_bytes_max)
    return fail(errc::limit_exceeded,
                file.string() + " has more than " + std::to_string(limits.config_bytes_max) + " bytes");
  text.resize(size);
  return text;
}

result<void> check_containerd_edit(std::string_view before, const containerd_edit& edit,
                                   const std::string& snapshotter) {
  const auto old_values = parsed(before);
  if (!old_values) return tl::unexpected(old_values.error());
  const auto unsafe = [](const std::string& what) {
    return fail(errc::failed_precondition, what + "; edit the file by hand, as docs/containerd.md shows");
  };
  const auto new_values = parsed(edit.text);
  if (!new_values) return unsafe("the edit would give what is no TOML (" + new_values.error().detail + ")");
  for (const auto* strange : {strange_change(*old_values, *new_values, snapshotter),
                              strange_change(*new_values, *old_values, snapshotter)})
    if (strange != nullptr) return unsafe("the edit would change " + toml_dotted(*strange));
  for (const auto& [path, value] : edit.settings) {
    const auto* said = value_at(*new_values, path);
    if (said == nullptr || *said != value) return unsafe("the edit would not set " + toml_dotted(path));
  }
  return {};
}

result<fs::path> write_containerd_config(const fs::path& file, std::string_view text) {
  const auto target = target_of(file);
  std::error_code problem;
  fs::create_directories(target.parent_path(), problem);
  if (problem)
    return fail(errc::io, "cannot make " + target.parent_path().string() + ": " + problem.message());
  attributes same{.owner = ::geteuid(), .group = ::getegid()};
  fs::path backup;
  struct stat status {};
  if (::stat(target.c_str(), &status) == 0) {
    same = {status.st_mode & 07777U, status.st_uid, status.st_gid};
    backup = target.string() + ".before-firstlight";
    const auto now = read_containerd_config(target, {});
    if (!now) return tl::unexpected(now.error());
    if (auto kept = replace(backup, *now, same); !kept) return tl::unexpected(kept.error());
  }
  if (text.empty()) {
    if (::unlink(target.c_str()) != 0 && errno != ENOENT)
      return fail_errno("cannot remove " + target.string());
  } else if (auto done = replace(target, text, same); !done) {
    return tl::unexpected(done.error());
  }
  return backup;
}

}  // namespace firstlight
