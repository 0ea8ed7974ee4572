// A file that was removed while a program has it open, when the process that answers the kernel changes.
#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/stat.h>

#include <span>

#include "fuse_bridge/kernel_inode.hpp"
#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/handed_over_session.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

/// The kernel forgets five look-ups of an inode.
struct forget_message {
  explicit forget_message(std::uint64_t number) {
    header.len = sizeof *this;
    header.opcode = FUSE_FORGET;
    header.unique = 1ULL << 40U;  // no request of the test comes so far
    header.nodeid = number;
    lookups.nlookup = 5;
  }
  [[nodiscard]] bytes_view bytes() const { return std::as_bytes(std::span(this, 1)); }

  fuse_in_header header{};
  fuse_forget_in lookups{};
};

}  // namespace

TEST_CASE(
    "a program goes on with a file that was removed when another process answers, and then it is gone") {
  if (!mounting_is_possible()) return;
  const std::string name = GENERATE(as<std::string>(), "folder/other", "new");
  CAPTURE(name);
  const changing_mount mount;
  handed_over_session session(mount.folder.path() / "root", mount.core(session_life::fresh));
  const auto path = session.point() / name;
  file_descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(file);
  REQUIRE(pwrite(file.get(), "first", 5, 0) == 5);
  REQUIRE(unlink(path.c_str()) == 0);
  if (!session.can_go_on()) return;
  session.leave();
  session.go_on(mount.core(session_life::taken_over));
  REQUIRE(pwrite(file.get(), ", second", 8, 5) == 8);
  REQUIRE(fchmod(file.get(), 0600) == 0);
  REQUIRE(posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED) == 0);
  std::string bytes(13, '\0');
  CHECK(pread(file.get(), bytes.data(), bytes.size(), 0) == 13);
  CHECK(bytes == "first, second");
  struct stat st {};
  REQUIRE(fstat(file.get(), &st) == 0);
  CHECK(st.st_mode == (S_IFREG | 0600U));
  CHECK(st.st_nlink == 0);
  const auto on_disk = mount.folder.path() / "work" / "firstlight-kept" / std::to_string(st.st_ino);
  CHECK(read_file(on_disk.string()) == "first, second");
  file = file_descriptor{};
  CHECK(eventually([&] { return !std::filesystem::exists(on_disk); }));
}

TEST_CASE("a FUSE_FORGET that comes late drops nothing of a removed file that somebody has found again") {
  if (!mounting_is_possible()) return;
  const changing_mount mount;
  handed_over_session session(mount.folder.path() / "root", mount.core(session_life::fresh));
  const auto path = session.point() / "pipe";
  REQUIRE(mkfifo(path.c_str(), 0644) == 0);
  file_descriptor found(::open(path.c_str(), O_PATH | O_CLOEXEC));
  REQUIRE(found);
  REQUIRE(unlink(path.c_str()) == 0);
  struct stat st {};
  REQUIRE(fstat(found.get(), &st) == 0);
  if (!session.can_go_on()) return;
  session.leave();
  // As if the kernel had dropped the inode before, and it had been looked up since.
  session.go_on_with(mount.core(session_life::taken_over), forget_message(st.st_ino).bytes());
  REQUIRE(chmod(("/proc/self/fd/" + std::to_string(found.get())).c_str(), 0600) == 0);
  REQUIRE(fstat(found.get(), &st) == 0);
  CHECK(st.st_mode == (S_IFIFO | 0600U));
  CHECK(st.st_nlink == 0);
  const auto on_disk = mount.folder.path() / "work" / "firstlight-kept" / std::to_string(st.st_ino);
  CHECK(std::filesystem::exists(on_disk));
  found = {};
  CHECK(eventually([&] { return !std::filesystem::exists(on_disk); }));
}

TEST_CASE("the kernel tells which inodes it has") {
  if (!mounting_is_possible()) return;
  const changing_mount mount;
  handed_over_session session(mount.folder.path() / "root", mount.core(session_life::fresh));
  const file_descriptor one(::open((session.point() / "one").c_str(), O_PATH | O_CLOEXEC));
  struct stat st {};
  REQUIRE(fstat(one.get(), &st) == 0);
  if (!session.can_go_on()) return;
  CHECK(kernel_has_inode(session.device(), root_inode));
  CHECK(kernel_has_inode(session.device(), st.st_ino));
  CHECK_FALSE(kernel_has_inode(session.device(), st.st_ino + 1'000'000));
  CHECK(kernel_has_inode(/*device=*/-1, st.st_ino));  // nobody may be told that it is gone
}
