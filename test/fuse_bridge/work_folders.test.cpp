// What mode fuse has in the work folder of a layer goes, however an operation or a session ends.
#include <fcntl.h>
#include <sys/syscall.h>

#include "schemas/toc_paths.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/fuse_bridge/session_bench.hpp"
#include "test/harness/call_watch.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

void write_below(const fs::path& folder, const char* name) {
  fs::create_directories(folder);
  std::ofstream(folder / name) << "of a session that has ended";
}

struct fallible_operation {
  const char* name;
  void (*prepare)(session_bench&);
  bool (*work)(session_bench&);  ///< @returns whether it has succeeded
};

void nothing(session_bench&) {}

node_number one_of_image(const session_bench& bench) {
  return *find_path(bench.tree->toc(), "one");
}

bool make(session_bench& bench, mode_t mode) {
  return bench.tree->make(root_inode, "new", mode, 0, {}, writable_tree::opened::no).has_value();
}

const fallible_operation operations[] = {
    {"make a file", nothing, [](session_bench& bench) { return make(bench, S_IFREG | 0600U); }},
    {"make a folder", nothing, [](session_bench& bench) { return make(bench, S_IFDIR | 0700U); }},
    {"make a symbolic link", nothing,
     [](session_bench& bench) {
       return bench.tree->make_symlink(root_inode, "new", "target", {}).has_value();
     }},
    {"make a file without a name", nothing,
     [](session_bench& bench) { return bench.tree->make_unnamed(root_inode, 0600, {}).has_value(); }},
    {"promote a file", nothing,
     [](session_bench& bench) { return bench.change_mode(bench.number("one"), 0600); }},
    {"promote a folder", nothing,
     [](session_bench& bench) { return bench.change_mode(bench.number("folder"), 0700); }},
    {"promote contents", [](session_bench& bench) { REQUIRE(bench.change_mode(bench.number("one"), 0600)); },
     [](session_bench& bench) {
       return bench.tree->open_file(bench.number("one"), O_RDWR, pace::at_once).has_value();
     }},
    {"promote a removed file",
     [](session_bench& bench) {
       REQUIRE(bench.tree->open_file(one_of_image(bench), O_RDONLY, pace::at_once));
       REQUIRE(bench.tree->unlink(root_inode, "one"));
     },
     [](session_bench& bench) { return bench.change_mode(one_of_image(bench), 0600); }},
    {"cover a file", [](session_bench& bench) { REQUIRE(bench.change_mode(bench.number("one"), 0600)); },
     [](session_bench& bench) { return bench.tree->unlink(root_inode, "one").has_value(); }},
    {"cover a folder",
     [](session_bench& bench) { REQUIRE(bench.tree->unlink(bench.number("folder"), "in")); },
     [](session_bench& bench) { return bench.tree->remove_folder(root_inode, "folder").has_value(); }},
    {"replace a folder",
     [](session_bench& bench) {
       REQUIRE(bench.tree->unlink(bench.number("folder"), "in"));
       REQUIRE(make(bench, S_IFDIR | 0700U));
     },
     [](session_bench& bench) {
       return bench.tree->rename({root_inode, "new"}, {root_inode, "folder"}, 0).has_value();
     }},
    {"link over a whiteout",
     [](session_bench& bench) {
       REQUIRE(bench.tree->unlink(root_inode, "pipe"));
       REQUIRE(bench.change_mode(bench.number("one"), 0600));
     },
     [](session_bench& bench) {
       return bench.tree->link(bench.number("one"), root_inode, "pipe").has_value();
     }},
};

}  // namespace

TEST_CASE("an operation that fails leaves nothing in the work folder, whichever system call has failed") {
  if (!marks_are_possible()) return;
  std::size_t failed = 0;
  bool watched = true;
  for (const auto& operation : operations)
    for (const long number : {SYS_chown, SYS_lchown, SYS_chmod, SYS_setxattr, SYS_lsetxattr, SYS_removexattr,
                              SYS_truncate, SYS_utimensat, SYS_fdatasync, SYS_rename, SYS_renameat2}) {
      CAPTURE(operation.name, number);
      std::atomic<bool> broken{false};
      const auto judge = [&](const test::watched_call&) { return broken ? ENOSPC : 0; };
      watched = watched && test::watch_calls({number}, judge, [&] {
                  session_bench bench;
                  operation.prepare(bench);
                  broken = true;
                  const bool done = operation.work(bench);
                  broken = false;
                  if (!done) ++failed;
                  CHECK(fs::is_empty(bench.folder.path() / "work" / "firstlight"));
                });
    }
  if (!watched) return test::note_skipped("system calls cannot be watched here (seccomp)");
  CHECK(failed > std::size(operations));
}

TEST_CASE("a name that a file has already leaves nothing in the work folder when it is given again") {
  if (!marks_are_possible()) return;
  const temporary_folder folder;
  const auto layer = *upper_layer::open({folder.path() / "upper", folder.path() / "work"});
  write_below(folder.path() / "upper", "one");
  REQUIRE(layer->link("one", "two"));
  REQUIRE(layer->link("one", "two"));
  CHECK(fs::is_empty(folder.path() / "work" / "firstlight"));
  CHECK(fs::hard_link_count(folder.path() / "upper" / "one") == 2);
}

TEST_CASE("what a session in mode fuse has left goes when the layer is mounted in another mode") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse);
  CAPTURE(to_string(mode));
  image_builder builder;
  builder.file("file", "contents");
  mounted_image image(builder, view::writable, {}, mount_mode::fuse);
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  const auto work = image.fixture.folder() / "work";
  write_below(work / "firstlight", "1");
  write_below(work / "firstlight-kept", "1000");
  fs::create_directory(work / "firstlight-kept" / "1001");
  write_below(work / "firstlight-exchanges", "7");
  image.mode = mode;
  const auto again = image.fixture.mount(image.request(view::writable));
  REQUIRE(again);
  image.mount = again->handle;
  for (const auto* name :
       {"firstlight/1", "firstlight-kept/1000", "firstlight-kept/1001", "firstlight-exchanges"})
    CHECK_FALSE(fs::exists(work / name));
}
