#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>

#include "test/containerd/snapshots_bench.hpp"
#include "test/harness/image_oracle.hpp"
#include "test/harness/skipped.hpp"

/// What the mounts that containerd gets show.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

bool may_mount() {
  const bool may = geteuid() == 0;
  if (!may) test::note_skipped("mounting needs root");
  return may;
}

void put(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}
std::string get(const fs::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}
void folder(const fs::path& path, mode_t mode) {
  REQUIRE(mkdir(path.c_str(), mode) == 0);
}
void own(const fs::path& path, uid_t owner) {
  REQUIRE(lchown(path.c_str(), owner, owner) == 0);
}
unsigned mode_of(const fs::path& path) {
  struct stat found {};
  REQUIRE(lstat(path.c_str(), &found) == 0);
  return found.st_mode & 07777U;
}

using change = std::function<void(const fs::path& root)>;

/// A chain of layers, one above the other, and beside it for each a folder in which the same was done.
class layered {
 public:
  layered(snapshots_bench& bench, const std::vector<change>& changes) : bench_(bench) {
    const auto flat = bench.folder() / "flat";
    folder(flat, 0755);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      bench.layer(name(i), i == 0 ? "" : name(i - 1), changes[i]);
      changes[i](flat);
      expected_.push_back(observe_folder(flat));
    }
  }

  [[nodiscard]] static std::string name(std::size_t layer) { return "layer " + std::to_string(layer); }

  /// Between what a view of this layer shows and what it should; the first lines are enough.
  [[nodiscard]] std::vector<std::string> differences_at(std::size_t layer) const {
    const auto key = "look at " + name(layer);
    const auto seen = bench_.view_mounted(key, name(layer));
    auto lines = differences(expected_.at(layer), observe_folder(seen),
                             {.unpacked_since = 0, .directory_links = false});
    snapshots_bench::unmount(seen);
    REQUIRE(bench_.remove(key).ok());
    if (lines.size() > 20) lines.resize(20);
    return lines;
  }

 private:
  snapshots_bench& bench_;
  std::vector<observed_tree> expected_;
};

void check_layers(const std::vector<change>& changes) {
  snapshots_bench bench;
  const layered made(bench, changes);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO(layered::name(i));
    CHECK(made.differences_at(i) == std::vector<std::string>{});
  }
}

}  // namespace

TEST_CASE("what was written to a snapshot is in those that build on it") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) {
    put(root / "foo", "foo");
    put(root / "a/b/c/deep", "deep");
  });
  bench.layer("two", "one", [](const fs::path& root) {
    CHECK(get(root / "a/b/c/deep") == "deep");
    put(root / "bar", "bar");
    put(root / "foo", "changed");
    fs::remove_all(root / "a/b");
  });
  const auto seen = bench.view_mounted("look", "two");
  CHECK(get(seen / "foo") == "changed");
  CHECK(get(seen / "bar") == "bar");
  CHECK(fs::exists(seen / "a"));
  CHECK_FALSE(fs::exists(seen / "a/b"));
  const auto old = bench.view_mounted("old", "one");
  CHECK(get(old / "foo") == "foo");
  CHECK(fs::exists(old / "a/b/c/deep"));
}

TEST_CASE("a view cannot be written to, whatever its chain") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) { put(root / "foo", "foo"); });
  bench.layer("two", "one", [](const fs::path& root) { put(root / "bar", "bar"); });
  for (const auto* parent : {"", "one", "two"}) {
    const auto seen = bench.view_mounted(std::string("view of ") + parent, parent);
    CHECK(mkdir((seen / "new").c_str(), 0755) != 0);
    CHECK(errno == EROFS);
  }
}

TEST_CASE("two snapshots above one parent do not see each other's changes") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("base", "", [](const fs::path& root) { put(root / "foo", "foo"); });
  const auto left = bench.prepare_mounted("left", "base");
  const auto right = bench.prepare_mounted("right", "base");
  put(left / "foo", "left");
  fs::remove(right / "foo");
  CHECK(get(left / "foo") == "left");
  CHECK_FALSE(fs::exists(right / "foo"));
  CHECK(get(bench.view_mounted("look", "base") / "foo") == "foo");
}

TEST_CASE("a folder that was removed and made anew hides what lower layers had in it") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) { put(root / "folder/old", "x"); });
  bench.layer("two", "one", [](const fs::path& root) {
    fs::remove_all(root / "folder");
    put(root / "folder/new", "y");
  });
  const auto seen = bench.view_mounted("look", "two");
  CHECK(fs::exists(seen / "folder/new"));
  CHECK_FALSE(fs::exists(seen / "folder/old"));
}

TEST_CASE("files and folders of lower layers are moved, and change owner and mode") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) {
    put(root / "file", "file");
    put(root / "kept/inner", "inner");
    put(root / "owned", "owned");
  });
  bench.layer("two", "one", [](const fs::path& root) {
    fs::rename(root / "file", root / "moved");
    // What an overlay cannot rename, programs copy.
    fs::copy(root / "kept", root / "copied", fs::copy_options::recursive);
    fs::remove_all(root / "kept");
    REQUIRE(chown((root / "owned").c_str(), 3, 4) == 0);
    REQUIRE(chmod((root / "owned").c_str(), 04755) == 0);
  });
  bench.layer("three", "two", [](const fs::path&) {});
  const auto seen = bench.view_mounted("look", "three");
  CHECK(get(seen / "moved") == "file");
  CHECK(get(seen / "copied/inner") == "inner");
  CHECK_FALSE(fs::exists(seen / "file"));
  CHECK_FALSE(fs::exists(seen / "kept"));
  struct stat owned {};
  REQUIRE(stat((seen / "owned").c_str(), &owned) == 0);
  CHECK(owned.st_uid == 3);
  CHECK((owned.st_mode & 07777U) == 04755);
  CHECK(get(seen / "owned") == "owned");
}

TEST_CASE("the root of a snapshot is 0755, or as a layer below has made it") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) { CHECK(mode_of(root) == 0755); });
  bench.layer("two", "one", [](const fs::path& root) {
    CHECK(mode_of(root) == 0755);
    REQUIRE(chmod(root.c_str(), 0711) == 0);
  });
  const auto point = bench.prepare_mounted("three", "two");
  CHECK(mode_of(point) == 0711);
}

TEST_CASE("the root of a snapshot has the owner and the extended attributes of the root below") {
  if (!may_mount()) return;
  snapshots_bench bench;
  const auto check_root = [](const fs::path& root) {
    struct stat found {};
    REQUIRE(stat(root.c_str(), &found) == 0);
    CHECK(found.st_uid == 1234);
    CHECK(found.st_gid == 5678);
    std::string note(16, '\0');
    const auto bytes = getxattr(root.c_str(), "user.note", note.data(), note.size());
    REQUIRE(bytes == 4);
    CHECK(note.substr(0, 4) == "kept");
  };
  bench.layer("one", "", [](const fs::path& root) {
    REQUIRE(chown(root.c_str(), 1234, 5678) == 0);
    REQUIRE(setxattr(root.c_str(), "user.note", "kept", 4, 0) == 0);
  });
  bench.layer("two", "one", check_root);
  check_root(bench.prepare_mounted("three", "two"));
  check_root(bench.snapshots_folder() / "3/fs");
  check_root(bench.view_mounted("look", "two"));
}

TEST_CASE("the work folder of a snapshot is outside of what its programs see") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) { put(root / "foo", "x"); });
  const auto point = bench.prepare_mounted("two", "one");
  CHECK(std::distance(fs::directory_iterator(point), {}) == 1);
  CHECK(mode_of(bench.snapshots_folder()) == 0700);
  CHECK(mode_of(bench.snapshots_folder() / "2/work") == 0711);
}

TEST_CASE("usage grows with what is written, and is kept at the commit") {
  if (!may_mount()) return;
  snapshots_bench bench;
  bench.layer("one", "", [](const fs::path& root) { put(root / "file", std::string(1 << 20U, 'x')); });
  api::UsageResponse one;
  REQUIRE(bench.usage("one", &one).ok());
  CHECK(one.size() >= 1 << 20U);
  CHECK(one.inodes() == 2);
  const auto point = bench.prepare_mounted("two", "one");
  api::UsageResponse before;
  REQUIRE(bench.usage("two", &before).ok());
  CHECK(before.size() < 1 << 16U);  // without what the parent has
  put(point / "more", std::string(1 << 20U, 'y'));
  api::UsageResponse written;
  REQUIRE(bench.usage("two", &written).ok());
  CHECK(written.size() >= before.size() + (1 << 20U));
  CHECK(written.inodes() == before.inodes() + 1);
  snapshots_bench::unmount(point);
  REQUIRE(bench.commit("committed", "two").ok());
  api::UsageResponse after;
  REQUIRE(bench.usage("committed", &after).ok());
  CHECK(after.size() >= 1 << 20U);
  CHECK(after.inodes() == 2);
  REQUIRE(bench.view("look", "committed").ok());
  REQUIRE(bench.usage("look", &after).ok());
  CHECK(after.size() == 0);
}

TEST_CASE("files of lower layers are changed, and their modes, as often as need be") {
  if (!may_mount()) return;
  check_layers({[](const fs::path& root) {
                  folder(root / "etc", 0700);
                  put(root / "etc/hosts", "10.0.0.1");
                  put(root / "etc/profile", "PATH=/usr/bin");
                },
                [](const fs::path& root) {
                  put(root / "etc/hosts", "10.0.0.2");
                  REQUIRE(chmod((root / "etc/profile").c_str(), 0666) == 0);
                  folder(root / "home", 0700);
                  put(root / "home/.bashrc", "PATH=/usr/sbin:/usr/bin");
                },
                [](const fs::path& root) { put(root / "etc/hosts", "10.0.0.3"); },
                [](const fs::path& root) { fs::remove(root / "etc/hosts"); }});
}

TEST_CASE("a folder that was replaced shows what later layers put into it, and nothing older") {
  if (!may_mount()) return;
  check_layers({[](const fs::path& root) {
                  folder(root / "lib", 0700);
                  put(root / "lib/hidden", "");
                },
                [](const fs::path& root) {
                  fs::remove_all(root / "lib");
                  folder(root / "lib", 0700);
                  put(root / "lib/not-hidden", "");
                },
                [](const fs::path& root) { put(root / "lib/newfile", ""); }});
}

TEST_CASE("folders of lower layers change their owner, with all in them") {
  if (!may_mount()) return;
  check_layers({[](const fs::path& root) {
                  for (const auto* path : {"opt", "opt/a", "opt/a/b"}) folder(root / path, 0700);
                  put(root / "opt/a/b/file.txt", "hello");
                },
                [](const fs::path& root) {
                  for (const auto* path : {"opt", "opt/a", "opt/a/b", "opt/a/b/file.txt"})
                    own(root / path, 1);
                }});
}

TEST_CASE("owners and modes of folders are right over three layers, also of folders that were replaced") {
  if (!may_mount()) return;
  check_layers({[](const fs::path& root) {
                  for (const auto* path : {"dir1", "dir2", "dir3", "dir4", "dir5"}) folder(root / path, 0700);
                  put(root / "dir4/f1", "...");
                  put(root / "dir5/f1", "...");
                  for (const auto* path : {"dir1", "dir2", "dir3", "dir5", "dir5/f1"}) own(root / path, 1);
                },
                [](const fs::path& root) {
                  own(root / "dir2", 0);
                  fs::remove_all(root / "dir3");
                  own(root / "dir4", 1);
                  own(root / "dir4/f1", 1);
                  REQUIRE(chmod((root / "dir1").c_str(), 01777) == 0);
                },
                [](const fs::path& root) {
                  folder(root / "dir3", 0700);
                  own(root / "dir3", 1);
                  fs::remove_all(root / "dir5");
                  folder(root / "dir5", 0750);
                  own(root / "dir5", 1);
                }});
}

TEST_CASE("files of lower layers get a second name, lose the first, and are moved over others") {
  if (!may_mount()) return;
  check_layers({[](const fs::path& root) {
                  for (const auto* path : {"dir1", "dir2"}) folder(root / path, 0700);
                  put(root / "dir1/f1", "hello");
                  put(root / "dir2/f2", "...");
                  put(root / "dir2/kept", "two names");
                  fs::create_hard_link(root / "dir2/kept", root / "dir2/also");
                },
                [](const fs::path& root) {
                  folder(root / "dir3", 0700);
                  put(root / "dir3/f1", "hello");
                  fs::remove_all(root / "dir1");
                  fs::create_hard_link(root / "dir2/f2", root / "dir3/f2");
                  fs::remove(root / "dir2/f2");
                },
                [](const fs::path& root) {
                  put(root / "dir3/new", "new content");
                  fs::rename(root / "dir3/new", root / "dir3/f1");
                }});
}

TEST_CASE("a chain of 128 layers is mounted and shows what a folder shows in which the same was done") {
  if (!may_mount()) return;
  snapshots_bench bench;
  std::vector<change> layers{[](const fs::path& root) {
    put(root / "bottom", "way at the bottom");
    put(root / "overwritten", "first");
    put(root / "added/file", "first");
    put(root / "replaced/bottom", "bye");
  }};
  for (int i = 1; i < 128; ++i)
    layers.emplace_back([number = std::to_string(i)](const fs::path& root) {
      put(root / "overwritten", number);
      put(root / "added" / ("file " + number), "same");
      fs::remove_all(root / "replaced");
      put(root / "replaced" / number, "only me");
    });
  const layered made(bench, layers);
  CHECK(made.differences_at(127) == std::vector<std::string>{});
  REQUIRE(bench.prepare("top", made.name(127)).ok());
  std::vector<containerd::types::Mount> mounts;
  REQUIRE(bench.mounts("top", &mounts).ok());
  const auto lower = mounts.at(0).options(mounts.at(0).options_size() - 1);
  CHECK(std::count(lower.begin(), lower.end(), ':') == 127);
  CHECK(lower.size() > 4096);  // more than mount(2) takes, before containerd shortens it
}

}  // namespace firstlight
