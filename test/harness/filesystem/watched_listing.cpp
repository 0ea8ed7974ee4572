#include "test/harness/filesystem/watched_listing.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace firstlight::fstest {
namespace {

constexpr std::size_t few_names_bytes = 128;  // of a tree in which all names that can exist are short

/// The names that an operation makes, removes or gives to something else.
std::vector<std::string> names_changed_by(const operation& what) {
  switch (what.what) {
    case action::write:
    case action::open_as_user:
      return (what.flags & O_CREAT) != 0 ? std::vector{what.path} : std::vector<std::string>{};
    case action::make_file:
    case action::make_folder:
    case action::remove_folder:
    case action::unlink:
    case action::symlink:
    case action::make_special:
      return {what.path};
    case action::rename:
      return {what.path, what.other};
    case action::link:
    case action::make_unnamed:
      return {what.other};
    default:
      return {};
  }
}

}  // namespace

// The folder may have got another name since it was opened.
void watched_listing::note_name(int root, const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? "." : path.substr(0, slash);
  struct stat of_name {};
  struct stat own {};
  if (::fstatat(root, parent.c_str(), &of_name, 0) != 0 || ::fstat(reader_.descriptor(), &own) != 0) return;
  if (of_name.st_ino == own.st_ino && of_name.st_dev == own.st_dev)
    touched_.insert(slash == std::string::npos ? path : path.substr(slash + 1));
}

void watched_listing::note(int root, const operation& what) {
  if (!reader_) return;
  for (const auto& path : names_changed_by(what)) note_name(root, path);
}

outcome watched_listing::more() {
  const auto part = reader_.more(few_names_bytes);
  met_.insert(met_.end(), part.names.begin(), part.names.end());
  return {part.error, 0, {}};
}

outcome watched_listing::end() {
  const auto part = reader_.rest();
  met_.insert(met_.end(), part.names.begin(), part.names.end());
  std::erase_if(met_, [&](const std::string& name) { return touched_.contains(name); });
  std::sort(met_.begin(), met_.end());
  outcome all{part.error, 0, {}};
  for (const auto& name : met_) all.data += name + " ";
  return all;
}

}  // namespace firstlight::fstest
