#include "storage/snapshot_folders.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/chain_ids.hpp"
#include "storage/posix_file.hpp"
#include "storage/sha256.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

void write_bytes(const fs::path& path, std::size_t count) {
  std::ofstream(path) << std::string(count, 'x');
}

}  // namespace

TEST_CASE("the folders of a snapshot have containerd's permissions whatever the umask is") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  const auto before = umask(077);
  const auto made = all.make(7, {});
  umask(before);
  REQUIRE(made);
  CHECK(mode_of(all.folder()) == 0700);
  CHECK(mode_of(all.folder() / "7") == 0700);
  CHECK(mode_of(all.folder() / "7/fs") == 0755);
  CHECK(mode_of(all.folder() / "7/work") == 0711);
}

TEST_CASE("the root of a snapshot is dressed like its parent's") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  REQUIRE(all.make(1, {}));
  const auto root = all.folder() / "1/fs";
  REQUIRE(chmod(root.c_str(), 01770) == 0);
  if (geteuid() == 0) REQUIRE(chown(root.c_str(), 5, 6) == 0);
  REQUIRE(all.make(2, root));
  struct stat found {};
  REQUIRE(lstat((all.folder() / "2/fs").c_str(), &found) == 0);
  CHECK((found.st_mode & 07777U) == 01770);
  if (geteuid() == 0) CHECK(found.st_uid == 5);
  CHECK(all.make(3, folder.path() / "gone").error().code == errc::not_found);
}

TEST_CASE("what a killed process left under an id is not in the next snapshot of that id") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  REQUIRE(all.make(1, {}));
  write_bytes(all.folder() / "1/fs/left", 5);
  REQUIRE(all.make(1, {}));
  CHECK(fs::is_empty(all.folder() / "1/fs"));
}

TEST_CASE("folders that no snapshot has are removed, and nothing else") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  REQUIRE(all.keep_only({}));
  for (const std::uint64_t id : {1, 2, 3}) REQUIRE(all.make(id, {}));
  write_bytes(all.folder() / "2/fs/file", 1);
  write_bytes(all.folder() / "odd", 1);
  REQUIRE(all.keep_only({2}));
  CHECK(fs::exists(all.folder() / "2/fs/file"));
  CHECK(std::distance(fs::directory_iterator(all.folder()), {}) == 1);
  REQUIRE(all.remove(2));
  REQUIRE(all.remove(2));
  CHECK(fs::is_empty(all.folder()));
}

TEST_CASE("the ids of folders are found among what else lies there") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  CHECK(all.ids().value().empty());
  for (const std::uint64_t id : {9, 12}) REQUIRE(all.make(id, {}));
  for (const auto* odd : {"99x", "x99", "-99", "99999999999999999999999"}) write_bytes(all.folder() / odd, 1);
  CHECK(all.ids().value() == std::set<std::uint64_t>{9, 12});
}

TEST_CASE("folders that are set aside are no snapshots' any more, and stay") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  for (const std::uint64_t id : {1, 2, 3}) REQUIRE(all.make(id, {}));
  write_bytes(all.folder() / "2/fs/file", 1);
  const auto aside = all.set_aside({2, 3}).value();
  CHECK(aside == all.folder() / "dropped-1");
  CHECK(mode_of(aside) == 0700);
  CHECK(all.ids().value() == std::set<std::uint64_t>{1});
  REQUIRE(all.make(2, {}));  // of the next process
  CHECK(all.set_aside({2}).value() == all.folder() / "dropped-2");
  CHECK(all.set_aside({7}).error().code == errc::not_found);
  REQUIRE(all.keep_only({}));
  CHECK(all.ids().value().empty());
  CHECK(fs::exists(aside / "2/fs/file"));
  CHECK(fs::exists(aside / "3/work"));
}

TEST_CASE("the usage of a snapshot is what is allocated, hard links once") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  REQUIRE(all.make(1, {}));
  const auto empty = all.measure(1).value();
  CHECK(empty.inodes == 1);
  const auto files = all.folder() / "1/fs";
  fs::create_directory(files / "sub");
  write_bytes(files / "sub/large", 100'000);
  fs::create_hard_link(files / "sub/large", files / "twin");
  fs::create_symlink("nowhere", files / "link");
  REQUIRE(all.sync());  // until then some file systems have allocated nothing
  const auto full = all.measure(1).value();
  CHECK(full.inodes == 4);
  CHECK(full.bytes >= empty.bytes + 100'000);
  CHECK(full.bytes < empty.bytes + 200'000);
  CHECK(all.measure(2).value().inodes == 0);
}

TEST_CASE("the usage of a snapshot counts folders that are deeper than the longest path") {
  const temporary_folder folder;
  snapshot_folders all(folder.path() / "snapshots");
  REQUIRE(all.make(1, {}));
  constexpr int depth = 25;
  const std::string name(200, 'n');
  file_descriptor at = open_at(AT_FDCWD, (all.folder() / "1/fs").string(), O_RDONLY | O_DIRECTORY).value();
  for (int i = 0; i < depth; ++i) {
    REQUIRE(mkdirat(at.get(), name.c_str(), 0755) == 0);
    at = open_at(at.get(), name, O_RDONLY | O_DIRECTORY).value();
  }
  CHECK(all.measure(1).value().inodes == depth + 1);
  REQUIRE(all.remove(1));
}

TEST_CASE("chain ids of layers are those that OCI defines") {
  const auto id = [](std::string_view text) { return sha256(std::as_bytes(std::span(text))); };
  const auto a = id("a");
  const auto b = id("b");
  const auto c = id("c");
  CHECK(chain_ids({}).empty());
  const auto chain = chain_ids({a, b, c});
  REQUIRE(chain.size() == 3);
  CHECK(chain[0] == a);
  CHECK(chain[1] == id(a.oci() + " " + b.oci()));
  CHECK(chain[2] == id(chain[1].oci() + " " + c.oci()));
}
