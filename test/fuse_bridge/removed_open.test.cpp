// A file that was removed while a program has it open, when the process that answers the kernel changes.
#include <fcntl.h>

#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/handed_over_session.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

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
