// What a writable_tree knows of what an earlier process has done in the same session of the kernel.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "test/fuse_bridge/whole_contents.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

/// One session of the kernel, and the tree of the process that answers it.
struct session_bench {
  session_bench() {
    image_builder builder;
    builder.file("one", "1");
    builder.symlink("link", "one");
    builder.device("pipe", file_type::fifo, 0, 0);
    builder.hard_link("other link", "link");
    builder.file("folder/in", "2");
    image = builder.build();
    store.emplace(folder.path() / "store", image);
    open(session_life::fresh);
  }

  void open(session_life life) {
    tree.reset();
    tree = *writable_tree::open(image.toc, 7, *store, {folder.path() / "upper", folder.path() / "work"},
                                1U << 20U, life);
  }
  [[nodiscard]] node_number number(const char* name) const { return tree->lookup(root_inode, name)->number; }
  [[nodiscard]] bool change_owner(node_number node, uid_t owner) const {
    attribute_changes changes;
    changes.uid = owner;
    const auto changed = tree->set_attributes(node, changes, pace::at_once);
    return changed && changed->st_uid == owner;
  }

  temporary_folder folder;
  image_builder::built image;
  std::optional<whole_contents> store;
  std::shared_ptr<writable_tree> tree;
};

bool marks_are_possible() {
  if (geteuid() == 0) return true;
  test::note_skipped("the marks of a layer need root");
  return false;
}

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

std::string read_own(writable_tree& tree, node_number number) {
  const auto own = tree.file_of(number);
  if (!own || *own == nullptr) return own ? "the image's" : "refused";
  std::string bytes(100, '\0');
  const auto got = pread((*own)->get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

}  // namespace

TEST_CASE("what was promoted keeps its number in the next process, of whatever kind it is") {
  if (!marks_are_possible()) return;
  session_bench bench;
  for (const auto* name : {"one", "link", "pipe"}) {
    CAPTURE(name);
    const auto number = bench.number(name);
    REQUIRE(bench.change_owner(number, 1000));
    REQUIRE(bench.tree->rename({root_inode, name}, {root_inode, "moved"}, 0));
    bench.open(session_life::taken_over);
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
  bench.open(session_life::taken_over);
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  CHECK(read_own(*bench.tree, number) == "written");
  attribute_changes shorter;
  shorter.size = 4;
  REQUIRE(bench.tree->set_attributes(number, shorter, pace::at_once));
  CHECK(bench.tree->attributes(number)->st_size == 4);
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  bench.tree->release(number);  // by one of several that had opened it
  CHECK(read_own(*bench.tree, number) == "writ");
  bench.tree->forget(number);
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
  bench.open(session_life::taken_over);
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
  bench.tree->forget(number);
  CHECK(read_own(*bench.tree, number) == "refused");
  CHECK(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
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
  CHECK_FALSE(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
  bench.tree->release(made->number);
  CHECK(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
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
  bench.open(session_life::taken_over);
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
      CHECK(bench.tree->list(other)->size() == 2);  // . and ..
    } else {
      REQUIRE_FALSE(found);
      CHECK(found.error() == ENOENT);
    }
    bench.open(session_life::taken_over);
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
  attribute_changes changes;
  changes.mode = 0700;
  REQUIRE(bench.tree->set_attributes(root_inode, changes, pace::at_once));
  bench.open(session_life::taken_over);
  CHECK(bench.tree->attributes(root_inode)->st_mode == (S_IFDIR | 0700U));
}
