// A folder that is open while it is removed, in mode fuse.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;

TEST_CASE("who has a removed folder open uses it as on a disk") {
  if (!mounting_is_possible()) return;
  const std::string what = GENERATE(as<std::string>(), "made", "empty", "emptied");
  const bool covered = GENERATE(true, false);
  CAPTURE(what, covered);
  image_builder builder;
  builder.directory("empty", 0750);
  builder.file("emptied/file", "");
  mounted_image image(builder, view::writable, {}, mount_mode::fuse);
  const auto path = image.path(what);
  if (what == "made") REQUIRE(mkdir(path.c_str(), 0755) == 0);
  if (what == "emptied") REQUIRE(unlink(image.path("emptied/file").c_str()) == 0);
  const file_descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  REQUIRE(folder);
  struct stat before {};
  REQUIRE(fstat(folder.get(), &before) == 0);
  if (covered) {
    REQUIRE(mkdir(image.path("other").c_str(), 0700) == 0);
    REQUIRE(rename(image.path("other").c_str(), path.c_str()) == 0);
  } else {
    REQUIRE(rmdir(path.c_str()) == 0);
  }
  const int file = folder.get();
  struct stat now {};
  REQUIRE(fstat(file, &now) == 0);
  CHECK(now.st_nlink == 0);
  CHECK(now.st_mode == before.st_mode);
  CHECK(now.st_ino == before.st_ino);
  CHECK(fsync(file) == 0);
  CHECK(fchmod(file, 0711) == 0);
  CHECK(fchown(file, 12, 13) == 0);
  const timespec times[] = {{5, 6}, {7, 8}};
  CHECK(futimens(file, times) == 0);
  REQUIRE(fstat(file, &now) == 0);
  CHECK(now.st_mode == (S_IFDIR | 0711U));
  CHECK(now.st_uid == 12);
  CHECK(now.st_gid == 13);
  CHECK(now.st_atim.tv_sec == 5);
  CHECK(now.st_mtim.tv_nsec == 8);
  CHECK(now.st_nlink == 0);
  CHECK(fgetxattr(file, "user.none", nullptr, 0) < 0);
  CHECK(errno == ENODATA);
  CHECK(flistxattr(file, nullptr, 0) == 0);
  CHECK(openat(file, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
  CHECK(errno == ENOENT);
  struct stat other {};
  CHECK((lstat(path.c_str(), &other) == 0) == covered);
  if (covered) CHECK(other.st_mode == (S_IFDIR | 0700U));
}
