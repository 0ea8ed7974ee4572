// A file that was removed while a program has it open, when the process that answers the kernel changes.
#include <fcntl.h>
#include <sys/mount.h>

#include "fuse_bridge/fuse_mount_session.hpp"
#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/eventually.hpp"
#include "test/harness/skipped.hpp"

using namespace firstlight;

TEST_CASE(
    "a program goes on with a file that was removed when another process answers, and then it is gone") {
  if (!mounting_is_possible()) return;
  const std::string name = GENERATE(as<std::string>(), "folder/other", "new");
  CAPTURE(name);
  const changing_mount mount;
  const auto point = mount.folder.path() / "root";
  std::filesystem::create_directory(point);
  auto session = *fuse_mount_session::start(mount.core(session_life::fresh), point);
  const watchdog guard(point);
  file_descriptor file(::open((point / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  REQUIRE(file);
  REQUIRE(pwrite(file.get(), "first", 5, 0) == 5);
  REQUIRE(unlink((point / name).c_str()) == 0);
  const auto left = session->what_to_keep();
  if (!left.after_crash) {
    test::note_skipped("this kernel repeats no requests (Linux 6.9)");
    umount2(point.c_str(), MNT_DETACH);
    return;
  }
  const kept_session kept{std::make_shared<const file_descriptor>(fcntl(left.device, F_DUPFD_CLOEXEC, 0)),
                          left.init};
  session->leave_behind();
  session.reset();
  session = *fuse_mount_session::take_over(mount.core(session_life::taken_over), kept);
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
  REQUIRE(umount2(point.c_str(), MNT_DETACH) == 0);
}
