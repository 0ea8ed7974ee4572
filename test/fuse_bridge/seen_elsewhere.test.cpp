#include <sched.h>
#include <sys/mount.h>

#include <array>

#include "fuse_bridge/mount_table.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/child_process.hpp"

using namespace firstlight;

TEST_CASE("a mount is seen elsewhere in another mount namespace at another place, and while that lives") {
  if (!mounting_is_possible()) return;
  const temporary_folder folder;
  const auto point = folder.path() / "point";
  const auto elsewhere = folder.path() / "elsewhere";
  std::filesystem::create_directory(point);
  std::filesystem::create_directory(elsewhere);
  REQUIRE(mount("test", point.c_str(), "tmpfs", 0, nullptr) == 0);
  const bool moves = GENERATE(false, true);
  {
    std::array<int, 2> ready{};
    REQUIRE(pipe(ready.data()) == 0);
    child_process other([&] {
      const bool done = unshare(CLONE_NEWNS) == 0 &&
                        mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        (!moves || mount(point.c_str(), elsewhere.c_str(), nullptr, MS_BIND, nullptr) == 0);
      if (!done || write(ready[1], "r", 1) != 1) return 1;
      pause();
      return 0;
    });
    close(ready[1]);
    char sign = 0;
    REQUIRE(read(ready[0], &sign, 1) == 1);
    close(ready[0]);
    CHECK(is_seen_elsewhere(point) == moves);
  }
  CHECK_FALSE(is_seen_elsewhere(point));
  CHECK_FALSE(is_seen_elsewhere(elsewhere));  // nothing is mounted there
  REQUIRE(umount2(point.c_str(), MNT_DETACH) == 0);
}
