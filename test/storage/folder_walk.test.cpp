#include "storage/folder_walk.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <vector>

#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

ino_t inode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(lstat(path.c_str(), &found) == 0);
  return found.st_ino;
}

}  // namespace

TEST_CASE("a walk through a folder visits all that is in it, folders first, and follows no links") {
  const temporary_folder folder;
  fs::create_directories(folder.path() / "a/b");
  std::ofstream(folder.path() / "a/b/file") << "x";
  fs::create_directory_symlink(folder.path(), folder.path() / "a/round");
  std::vector<ino_t> seen;
  REQUIRE(walk_folder(folder.path(), [&](const struct stat& found) { seen.push_back(found.st_ino); }));
  const auto place = [&](const fs::path& path) {
    const auto inode = inode_of(folder.path() / path);
    CHECK(std::count(seen.begin(), seen.end(), inode) == 1);
    return std::find(seen.begin(), seen.end(), inode);
  };
  CHECK(seen.size() == 4);
  CHECK(place("a") < place("a/b"));
  CHECK(place("a/b") < place("a/b/file"));
  CHECK(place("a") < place("a/round"));
}

TEST_CASE("a walk goes on when a folder goes, or becomes a file, that it was about to enter") {
  const temporary_folder folder;
  std::map<ino_t, fs::path> folders;
  for (const auto* name : {"a", "b", "c", "d"}) {
    const auto path = folder.path() / name;
    fs::create_directory(path);
    std::ofstream(path / "file") << "x";
    folders.emplace(inode_of(path), path);
  }
  std::vector<fs::path> entered;
  int files = 0;
  REQUIRE(walk_folder(folder.path(), [&](const struct stat& found) {
    if (!S_ISDIR(found.st_mode)) {
      ++files;
      return;
    }
    const auto& path = folders.at(found.st_ino);
    entered.push_back(path);
    if (entered.size() > 2) return;
    fs::remove_all(path);
    if (entered.size() == 2) std::ofstream(path) << "x";
  }));
  CHECK(entered.size() == 4);
  CHECK(files >= 2);  // in the folders that stayed; a listing may also show what came while it was read
  CHECK(walk_folder(folder.path() / "nowhere", [](const struct stat&) {}).error().code == errc::not_found);
}

TEST_CASE("a walk takes no more descriptors than it may, however deep folders are") {
  const temporary_folder folder;
  fs::create_directories(folder.path() / "a/b/c");
  int seen = 0;
  const auto visit = [&](const struct stat&) { ++seen; };
  CHECK(walk_folder(folder.path(), visit, {.depth_max = 4}));
  CHECK(seen == 3);
  const auto refused = walk_folder(folder.path(), visit, {.depth_max = 3});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::limit_exceeded);
}
