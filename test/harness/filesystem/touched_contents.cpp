#include "test/harness/filesystem/touched_contents.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace firstlight::fstest {
namespace {

/// What an operation that has succeeded tells of a file that it named.
enum class needed : std::uint8_t { whole, perhaps_nothing };

struct touched_file {
  std::string path;
  needed contents = needed::perhaps_nothing;
};

std::vector<touched_file> named_by(const operation& what) {
  switch (what.what) {
    case action::write:
    case action::append:
    case action::read:
    case action::truncate:
    case action::truncate_path:
    case action::make_file:
    case action::allocate:
    case action::map_write:
    case action::hold:
      return {{what.path, needed::whole}};
    case action::copy_range:
      return {{what.path}, {what.other, needed::whole}};
    case action::make_unnamed:
      return {{what.other, needed::whole}};
    case action::open_as_user:
      return {{what.path, (what.flags & O_ACCMODE) == O_RDONLY ? needed::perhaps_nothing : needed::whole}};
    case action::rename:
    case action::link:
      return {{what.path}, {what.other}};
    default:
      return {{what.path}};
  }
}

std::optional<struct stat> regular(const std::filesystem::path& path) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return std::nullopt;
  return st;
}

/// `path` first.
std::vector<std::string> names_of(const std::filesystem::path& root, const std::string& path,
                                  const struct stat& file) {
  std::vector<std::string> names{path};
  if (file.st_nlink < 2) return names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto name = entry.path().lexically_relative(root).string();
    const auto other = regular(entry.path());
    if (name != path && other && other->st_ino == file.st_ino) names.push_back(name);
  }
  return names;
}

std::optional<std::string> compare_one(const operation& reading, subject& native, subject& tested) {
  const auto expected = native.apply(reading);
  const auto got = tested.apply(reading);
  if (expected == got) return std::nullopt;
  return "contents by " + to_text(reading) + "\nnative " + to_text(expected) + "\ntested " + to_text(got);
}

}  // namespace

std::optional<std::string> touched_contents::compare_after(const operation& what, const outcome& done,
                                                           subject& native, subject& tested) {
  const bool held = uses_held_file(what.what);
  // A file that is held was opened for writing, so it has arrived.
  if (held || what.what == action::hold)
    if (auto wrong = compare_one({.what = action::held_read, .slot = what.slot}, native, tested))
      return wrong;
  if (held) return std::nullopt;
  for (const auto& [path, contents] : named_by(what)) {
    const auto file = regular(native.root() / path);
    if (!file) continue;
    if (contents == needed::whole && done.error == 0) arrived_.insert(file->st_ino);
    if (!all_arrived_ && !arrived_.contains(file->st_ino)) continue;
    for (const auto& name : names_of(native.root(), path, *file))
      if (auto wrong = compare_one({.what = action::read, .path = name}, native, tested)) return wrong;
  }
  return std::nullopt;
}

std::optional<std::string> touched_contents::compare_arrived(subject& native, subject& tested) const {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(native.root())) {
    const auto file = regular(entry.path());
    if (!file || (!all_arrived_ && !arrived_.contains(file->st_ino))) continue;
    const auto name = entry.path().lexically_relative(native.root()).string();
    if (auto wrong = compare_one({.what = action::read, .path = name}, native, tested)) return wrong;
  }
  return std::nullopt;
}

}  // namespace firstlight::fstest
