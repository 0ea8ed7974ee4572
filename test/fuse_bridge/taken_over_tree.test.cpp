// What a writable_tree knows of what an earlier process has done in the same session of the kernel.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test/fuse_bridge/list_folder.hpp"
#include "test/fuse_bridge/session_bench.hpp"

using namespace firstlight;

namespace {

/// This process can open no file meanwhile.
class no_descriptors {
 public:
  no_descriptors() {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const int lowest_free = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(lowest_free >= 0);
    close(lowest_free);
    const rlimit none{static_cast<rlim_t>(lowest_free), before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~no_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("what was promoted keeps its number in the next process, of whatever kind it is") {
  if (!marks_are_possible()) return;
  session_bench bench;
  for (const auto* name : {"one", "link", "pipe"}) {
    CAPTURE(name);
    const auto number = bench.number(name);
    REQUIRE(bench.change_owner(number, 1000));
    REQUIRE(bench.tree->rename({root_inode, name}, {root_inode, "moved"}, 0));
    bench.take_over();
    CHECK(bench.number("moved") == number);
    CHECK(bench.tree->attributes(number)->st_uid == 1000);
    CHECK(bench.change_owner(number, 2000));
    REQUIRE(bench.tree->rename({root_inode, "moved"}, {root_inode, name}, 0));
  }
  CHECK(bench.tree->read_link(bench.number("link")) == "one");
  CHECK(bench.number("other link") == bench.number("link"));
  CHECK(bench.tree->attributes(bench.number("link"))->st_nlink == 2);
}

TEST_CASE("a file that an earlier process has opened can be used after it is removed") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto made = bench.tree->make(root_inode, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::yes);
  REQUIRE(made);
  const auto number = made->number;
  REQUIRE(pwrite((*bench.tree->file_of(number))->get(), "written", 7, 0) == 7);
  bench.take_over();
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  CHECK(read_own(*bench.tree, number) == "written");
  attribute_changes shorter;
  shorter.size = 4;
  REQUIRE(bench.tree->set_attributes(number, shorter, pace::at_once));
  CHECK(bench.tree->attributes(number)->st_size == 4);
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  bench.tree->release(number);  // by one of several that had opened it
  CHECK(read_own(*bench.tree, number) == "writ");
  bench.forget(number);
  CHECK(read_own(*bench.tree, number) == "refused");
}

TEST_CASE(
    "a file that an earlier process has opened can be removed when there is no descriptor to keep it by") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto made = bench.tree->make(root_inode, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::yes);
  REQUIRE(made);
  REQUIRE(bench.tree->make(root_inode, "other", S_IFREG | 0644U, 0, {}, writable_tree::opened::no));
  const auto number = made->number;
  REQUIRE(pwrite((*bench.tree->file_of(number))->get(), "written", 7, 0) == 7);
  bench.take_over();
  const bool covered = GENERATE(false, true);
  {
    const no_descriptors meanwhile;
    REQUIRE(bench.tree->file_of(number).error() == EMFILE);
    REQUIRE((covered ? bench.tree->rename({root_inode, "other"}, {root_inode, "new"}, 0)
                     : bench.tree->unlink(root_inode, "new")));
    CHECK(bench.tree->attributes(number)->st_nlink == 0);
    CHECK(bench.tree->attributes(number)->st_size == 7);
  }
  CHECK(read_own(*bench.tree, number) == "written");
  attribute_changes shorter;
  shorter.size = 4;
  REQUIRE(bench.tree->set_attributes(number, shorter, pace::at_once));
  bench.tree->release(number);  // by one of several that had opened it
  CHECK(read_own(*bench.tree, number) == "writ");
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  bench.forget(number);
  CHECK(read_own(*bench.tree, number) == "refused");
  CHECK(bench.kept() == 0);
}

TEST_CASE("a file that was removed without a descriptor is gone when it is closed") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto made = bench.tree->make(root_inode, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::no);
  REQUIRE(made);
  REQUIRE(bench.tree->open_file(made->number, O_RDONLY, pace::at_once));
  {
    const no_descriptors meanwhile;
    REQUIRE(bench.tree->unlink(root_inode, "new"));
  }
  CHECK(read_own(*bench.tree, made->number).empty());
  CHECK(bench.kept() == 1);
  bench.tree->release(made->number);
  CHECK(bench.kept() == 0);
  CHECK(bench.tree->attributes(made->number)->st_nlink == 0);
}

TEST_CASE(
    "a folder that holds whiteouts can be removed or covered when there is no descriptor to list it by") {
  if (!marks_are_possible()) return;
  session_bench bench;
  REQUIRE(bench.tree->unlink(bench.number("folder"), "in"));
  REQUIRE(bench.tree->make(root_inode, "other", S_IFDIR | 0755U, 0, {}, writable_tree::opened::no));
  const auto other = bench.number("other");
  const std::string how = GENERATE(as<std::string>(), "in its place", "moved", "covered");
  const std::string name = how == "moved" ? "elsewhere" : "folder";
  if (how == "moved") REQUIRE(bench.tree->rename({root_inode, "folder"}, {root_inode, name}, 0));
  bench.take_over();
  CAPTURE(how);
  {
    const no_descriptors meanwhile;
    REQUIRE((how == "covered" ? bench.tree->rename({root_inode, "other"}, {root_inode, name}, 0)
                              : bench.tree->remove_folder(root_inode, name)));
  }
  for (int process = 0; process < 2; ++process) {
    const auto found = bench.tree->lookup(root_inode, name);
    if (how == "covered") {
      REQUIRE(found);
      CHECK(found->number == other);
      CHECK(list_folder(*bench.tree, other)->size() == 2);  // . and ..
    } else {
      REQUIRE_FALSE(found);
      CHECK(found.error() == ENOENT);
    }
    bench.take_over();
    CHECK(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
  }
}

TEST_CASE("an empty folder that is removed without a descriptor leaves nothing behind") {
  if (!marks_are_possible()) return;
  session_bench bench;
  REQUIRE(bench.tree->make(root_inode, "new", S_IFDIR | 0755U, 0, {}, writable_tree::opened::no));
  {
    const no_descriptors meanwhile;
    REQUIRE(bench.tree->remove_folder(root_inode, "new"));
  }
  CHECK(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
}

TEST_CASE("the root keeps its attributes over a takeover when nothing else was changed") {
  if (!marks_are_possible()) return;
  session_bench bench;
  REQUIRE(bench.change_mode(root_inode, 0700));
  bench.take_over();
  CHECK(bench.tree->attributes(root_inode)->st_mode == (S_IFDIR | 0700U));
}
