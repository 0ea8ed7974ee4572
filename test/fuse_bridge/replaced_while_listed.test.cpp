// Processes that list a folder and look into its files, while others put new versions in their place.
#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "test/fuse_bridge/arriving_image.hpp"
#include "test/harness/worker_processes.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr int replacers = 2;  // each has names of its own; the other workers list
constexpr int names = 8;
constexpr int names_of_each = names / replacers;
constexpr std::size_t listed_at_once = 128;  // bytes: some entries, so that names are replaced in between

using versions = std::array<int, names>;

constexpr int name_of(int replacer, int version) {
  return (version % names_of_each) * replacers + replacer;
}

/// What is under each name at last.
versions last_versions() {
  versions last{};
  for (int version = 1; version <= rounds; ++version)
    for (int replacer = 0; replacer < replacers; ++replacer)
      last.at(static_cast<std::size_t>(name_of(replacer, version))) = version;
  return last;
}

/// @returns 0, or what went wrong
int put_new_version(const char* root, int replacer, int version) {
  const auto made = in(root, "d1/made%d", replacer);
  const file_descriptor file(open(made.data(), O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (!file) return errno;
  if (write(file.get(), &version, sizeof version) != sizeof version) return 101;
  const auto name = in(root, "d0/v%d", name_of(replacer, version));
  return rename(made.data(), name.data()) == 0 ? 0 : errno;
}

int replace_all(const char* root, int replacer) {
  for (int version = 1; version <= rounds; ++version)
    if (const int wrong = put_new_version(root, replacer, version); wrong != 0) return wrong;
  const file_descriptor over(open(in(root, "d1/over%d", replacer).data(), O_WRONLY | O_CREAT, 0600));
  return over ? 0 : errno;
}

bool all_replaced(const char* root) {
  for (int replacer = 0; replacer < replacers; ++replacer)
    if (access(in(root, "d1/over%d", replacer).data(), F_OK) != 0) return false;
  return true;
}

/// No version is older than one that was seen under the name before.
int look_into(const char* root, std::size_t name, versions& seen) {
  const auto path = in(root, "d0/v%d", static_cast<int>(name));
  int opened = open(path.data(), O_RDONLY);
  // The kernel looks a stale name up once more, and then gives in.
  while (opened < 0 && errno == ESTALE) opened = open(path.data(), O_RDONLY);
  const file_descriptor file(opened);
  if (!file) return errno;
  std::array<int, 2> version{};
  if (pread(file.get(), version.data(), sizeof version, 0) != sizeof version[0]) return 111;
  if (version[0] < seen.at(name)) return 112;
  seen.at(name) = version[0];
  return 0;
}

/// Each name is there once, and so is a file for it.
int list_and_look(const char* root, versions& seen) {
  const file_descriptor folder(open(in(root, "d0", 0).data(), O_RDONLY | O_DIRECTORY));
  if (!folder) return errno;
  alignas(dirent64) static std::array<char, 4096> entries;
  std::array<int, names> listed{};
  int others = 0;
  for (;;) {
    const auto bytes = getdents64(folder.get(), entries.data(), listed_at_once);
    if (bytes < 0) return errno;
    if (bytes == 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
      const auto* const entry = reinterpret_cast<const dirent64*>(entries.data() + at);
      at += entry->d_reclen;
      const auto name = static_cast<std::size_t>(entry->d_name[1] - '0');
      if (entry->d_name[0] != 'v' || name >= listed.size()) {
        ++others;
        continue;
      }
      ++listed.at(name);
      if (const int wrong = look_into(root, name, seen); wrong != 0) return wrong;
    }
  }
  constexpr int of_image = files / 2;  // and the folder and the one above
  const bool once = std::all_of(listed.begin(), listed.end(), [](int times) { return times == 1; });
  return once && others == of_image + 2 ? 0 : 121;
}

/// Once more after the end.
int list_to_the_end(const char* root) {
  versions seen{};
  for (bool over = false; !over;) {
    over = all_replaced(root);
    if (const int wrong = list_and_look(root, seen); wrong != 0) return wrong;
  }
  return seen == last_versions() ? 0 : 131;
}

}  // namespace

TEST_CASE("who lists a folder sees each name once, and under it no older version than before") {
  if (!mounting_is_possible()) return;
  const auto way = any_way();
  CAPTURE(way);
  const arriving_image image(way);
  const auto version_at = [&](int name) { return image.path("d0/v" + std::to_string(name)); };
  const int none = 0;
  for (int name = 0; name < names; ++name)
    std::ofstream(version_at(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(&none), sizeof none);
  const auto root = image.root().string();
  in_processes([&root](int worker) {
    return worker < replacers ? replace_all(root.c_str(), worker) : list_to_the_end(root.c_str());
  });
  const auto last = last_versions();
  for (int name = 0; name < names; ++name) {
    const auto& version = last.at(static_cast<std::size_t>(name));
    CHECK(read_file(version_at(name)) ==
          std::string(reinterpret_cast<const char*>(&version), sizeof version));
  }
  CHECK(std::distance(fs::directory_iterator(image.path("d1")), fs::directory_iterator()) ==
        files / 2 + replacers);
}
