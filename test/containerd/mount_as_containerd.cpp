#include "test/containerd/mount_as_containerd.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace firstlight {
namespace {

constexpr std::size_t page_bytes = 4096;
constexpr std::size_t long_bytes = page_bytes - 512;
const std::string lower_option = "lowerdir=";

struct options {
  unsigned long flags = 0;
  std::vector<std::string> data;
  std::string folder{};  ///< where relative paths begin; empty: there are none
};

options read_options(const containerd::types::Mount& mount) {
  options all;
  for (const auto& option : mount.options()) {
    if (option == "ro")
      all.flags |= MS_RDONLY;
    else if (option == "rbind")
      all.flags |= MS_BIND | MS_REC;
    else if (option != "rw")
      all.data.push_back(option);
  }
  return all;
}

std::vector<std::string> folders_of(const std::string& lower) {
  std::vector<std::string> folders(1);
  for (const char c : lower) {
    if (c == ':')
      folders.emplace_back();
    else
      folders.back() += c;
  }
  return folders;
}

/// Up to the last slash of what the first and the last by the alphabet have in common.
std::string common_folder(const std::vector<std::string>& folders) {
  const auto [first, last] = std::minmax_element(folders.begin(), folders.end());
  std::size_t same = 0;
  while (same < first->size() && same < last->size() && (*first)[same] == (*last)[same]) ++same;
  const auto slash = first->substr(0, same).rfind('/');
  return slash == std::string::npos || slash == 0 ? std::string{} : first->substr(0, slash + 1);
}

void shorten(options& all) {
  std::size_t bytes = 0;
  for (const auto& option : all.data) bytes += option.size();
  const auto found = std::find_if(all.data.begin(), all.data.end(),
                                  [](const auto& option) { return option.starts_with(lower_option); });
  if (bytes < long_bytes || found == all.data.end()) return;
  const auto folders = folders_of(found->substr(lower_option.size()));
  const auto common = common_folder(folders);
  if (folders.size() == 1 || common.empty()) return;
  std::string shorter;
  for (const auto& folder : folders) shorter += (shorter.empty() ? "" : ":") + folder.substr(common.size());
  *found = lower_option + shorter;
  all.folder = common;
}

/// What a thread changes to stays its own.
int mount_from(const std::string& folder, const std::function<int()>& mount) {
  if (folder.empty()) return mount();
  int outcome = 0;
  std::thread([&] {
    const bool there = unshare(CLONE_FS) == 0 && chdir(folder.c_str()) == 0;
    outcome = there ? mount() : errno;
  }).join();
  return outcome;
}

}  // namespace

int mount_as_containerd(const containerd::types::Mount& mount, const std::filesystem::path& point) {
  auto all = read_options(mount);
  if (mount.type() == "overlay") shorten(all);
  std::string data;
  for (const auto& option : all.data) data += (data.empty() ? "" : ",") + option;
  if (data.size() > page_bytes) return E2BIG;
  const auto outcome = mount_from(all.folder, [&] {
    return ::mount(mount.source().c_str(), point.c_str(), mount.type().c_str(), all.flags, data.c_str()) == 0
               ? 0
               : errno;
  });
  const bool read_only = (all.flags & MS_BIND) != 0 && (all.flags & MS_RDONLY) != 0;
  if (outcome != 0 || !read_only) return outcome;
  return ::mount(nullptr, point.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0 ? 0 : errno;
}

}  // namespace firstlight
