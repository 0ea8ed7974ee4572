#include "fuse_bridge/writable/kept_files.hpp"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "fuse_bridge/writable/upper_layer.hpp"
#include "storage/posix_file.hpp"

namespace firstlight {

namespace fs = std::filesystem;

result<std::unique_ptr<kept_files>> kept_files::open(fs::path folder, session_life life) {
  if (life == session_life::fresh) {
    std::error_code problem;
    fs::remove_all(folder, problem);
    if (problem) return fail(errc::io, "remove " + folder.string() + ": " + problem.message());
  }
  if (auto made = make_folders(folder); !made) return tl::unexpected(made.error());
  return std::unique_ptr<kept_files>(new kept_files(std::move(folder)));
}

kept_files::~kept_files() {
  std::error_code ignored;  // the next session removes them
  if (!left_) fs::remove_all(folder_, ignored);
}

result<std::vector<node_number>> kept_files::numbers() const {
  std::vector<node_number> all;
  std::error_code problem;
  fs::directory_iterator entry(folder_, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    const auto name = entry->path().filename().string();
    const node_number number = std::strtoull(name.c_str(), nullptr, 10);
    if (number > root_inode && std::to_string(number) == name) all.push_back(number);
  }
  if (problem) return fail(errc::io, "read " + folder_.string() + ": " + problem.message());
  return all;
}

os_result<void> kept_files::link(const std::string& file, node_number number) const {
  const auto name = path(number);
  auto linked = outcome_of(::link(file.c_str(), name.c_str()));
  if (linked || linked.error() != EEXIST) return linked;
  drop(number);  // of an earlier file of that number, which could not be dropped
  return outcome_of(::link(file.c_str(), name.c_str()));
}

os_result<void> kept_files::copy_folder(const std::string& folder, node_number number) const {
  const auto name = path(number);
  auto made = outcome_of(mkdir(name.c_str(), 0700));
  if (!made && made.error() == EEXIST) {
    drop(number);
    made = outcome_of(mkdir(name.c_str(), 0700));
  }
  if (!made) return made;
  auto copied = copy_attributes(folder, name);
  if (!copied) drop(number);
  return copied;
}

os_result<void> kept_files::move(const std::string& file, node_number number) const {
  const auto name = path(number);
  auto moved = outcome_of(::rename(file.c_str(), name.c_str()));
  if (moved || moved.error() != EISDIR) return moved;
  drop(number);  // a folder that had the number before and could not be dropped
  return outcome_of(::rename(file.c_str(), name.c_str()));
}

void kept_files::drop(node_number number) const {
  ::remove(path(number).c_str());  // what stays goes with the session
}

}  // namespace firstlight
