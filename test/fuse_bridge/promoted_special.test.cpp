// Mode fuse changes entries of the image that are no files, as far as a disk can hold them.
#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

const std::vector<xattr> not_for_special{{"trusted.kept", "1"}, {"user.lost", "2"}};

image_builder image_with_special() {
  image_builder image;
  image.device("zero", file_type::character_device, 0, 0);
  image.device("null", file_type::character_device, 1, 3).xattrs = not_for_special;
  image.device("disk", file_type::block_device, 259, 70'000).xattrs = not_for_special;
  image.device("pipe", file_type::fifo, 0, 0).xattrs = not_for_special;
  image.symlink("link", "null").xattrs = not_for_special;
  image.file("file", "contents");
  return image;
}

struct stat look(const std::string& path) {
  struct stat st {};
  REQUIRE(lstat(path.c_str(), &st) == 0);
  return st;
}

}  // namespace

TEST_CASE(
    "a device of the image that a layer could not tell from a whiteout cannot be changed, only removed") {
  if (!mounting_is_possible()) return;
  mounted_image image(image_with_special(), view::writable, {}, mount_mode::fuse);
  const auto zero = image.path("zero");
  const auto is_refused = [](int status) { return status != 0 && errno == EPERM; };
  const timespec times[] = {{5, 6}, {7, 8}};
  CHECK(is_refused(chmod(zero.c_str(), 0600)));
  CHECK(is_refused(chown(zero.c_str(), 12, 34)));
  CHECK(is_refused(utimensat(AT_FDCWD, zero.c_str(), times, 0)));
  CHECK(is_refused(setxattr(zero.c_str(), "trusted.a", "b", 1, 0)));
  CHECK(is_refused(rename(zero.c_str(), image.path("other").c_str())));
  CHECK(is_refused(link(zero.c_str(), image.path("other").c_str())));
  CHECK(is_refused(renameat2(AT_FDCWD, image.path("file").c_str(), AT_FDCWD, zero.c_str(), RENAME_EXCHANGE)));
  image.mount_again(mount_mode::fuse);
  CHECK(S_ISCHR(look(zero).st_mode));
  CHECK(look(zero).st_rdev == 0);
  CHECK(unlink(zero.c_str()) == 0);
  image.mount_again(mount_mode::fuse);
  CHECK_FALSE(fs::exists(zero));
  CHECK(read_file(image.path("file")) == "contents");
}

TEST_CASE("entries of the image whose attributes no disk keeps can be changed in mode fuse") {
  if (!mounting_is_possible()) return;
  const std::string name = GENERATE("null", "disk", "pipe", "link");
  CAPTURE(name);
  mounted_image image(image_with_special(), view::writable, {}, mount_mode::fuse);
  const auto before = look(image.path(name));
  REQUIRE(lchown(image.path(name).c_str(), 12, 34) == 0);
  REQUIRE(link(image.path(name).c_str(), image.path("linked").c_str()) == 0);
  REQUIRE(rename(image.path(name).c_str(), image.path("renamed").c_str()) == 0);
  image.mount_again(mount_mode::fuse);
  for (const auto* now : {"linked", "renamed"}) {
    const auto after = look(image.path(now));
    CHECK(after.st_mode == before.st_mode);
    CHECK(after.st_rdev == before.st_rdev);
    CHECK(after.st_uid == 12);
    char value = 0;
    CHECK(lgetxattr(image.path(now).c_str(), "trusted.kept", &value, 1) == 1);
  }
}
