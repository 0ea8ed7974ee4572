// What was removed while it was open goes on as on a disk: pipes and devices in mode fuse, which the kernel
// opens by itself, and symbolic links, which nobody opens.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "storage/posix_file.hpp"
#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;

namespace {

image_builder image_with_special() {
  image_builder image;
  image.file("file", "contents");
  image.device("pipe", file_type::fifo, 0, 0);
  image.device("null", file_type::character_device, 1, 3);
  image.symlink("link", "file");
  return image;
}

void remove_name(const mounted_image& image, const std::string& path, bool replaced) {
  const auto file = image.path("file");
  REQUIRE((replaced ? rename(file.c_str(), path.c_str()) : unlink(path.c_str())) == 0);
}

}  // namespace

TEST_CASE("the attributes of a pipe or device that was removed while it is open can be changed") {
  if (!mounting_is_possible()) return;
  const mounted_image image(image_with_special(), view::writable, {}, mount_mode::fuse);
  const bool pipe = GENERATE(true, false);
  const bool replaced = GENERATE(true, false);
  const bool of_image = GENERATE(true, false);
  CAPTURE(pipe, replaced, of_image);
  const auto path = image.path(!of_image ? "special" : pipe ? "pipe" : "null");
  if (!of_image)
    REQUIRE(mknod(path.c_str(), (pipe ? S_IFIFO : S_IFCHR) | 0600U, pipe ? 0 : makedev(1, 3)) == 0);
  const file_descriptor held(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  REQUIRE(held);
  remove_name(image, path, replaced);
  CHECK(fchown(held.get(), 11, 12) == 0);
  CHECK(fchmod(held.get(), 0644) == 0);
  struct stat st {};
  REQUIRE(fstat(held.get(), &st) == 0);
  CHECK(st.st_mode == ((pipe ? S_IFIFO : S_IFCHR) | 0644U));
  CHECK(st.st_uid == 11);
  CHECK(st.st_gid == 12);
  CHECK(st.st_nlink == 0);
  REQUIRE(write(held.get(), "x", 1) == 1);
}

TEST_CASE("a symbolic link that was removed while somebody holds it can get another owner") {
  if (!mounting_is_possible()) return;
  const mounted_image image(image_with_special(), view::writable, {}, mount_mode::fuse);
  const bool replaced = GENERATE(true, false);
  const bool of_image = GENERATE(true, false);
  CAPTURE(replaced, of_image);
  const auto path = image.path(of_image ? "link" : "new");
  if (!of_image) REQUIRE(symlink("file", path.c_str()) == 0);
  const file_descriptor held(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  REQUIRE(held);
  remove_name(image, path, replaced);
  CHECK(fchownat(held.get(), "", 11, 12, AT_EMPTY_PATH) == 0);
  struct stat st {};
  REQUIRE(fstat(held.get(), &st) == 0);
  CHECK(S_ISLNK(st.st_mode));
  CHECK(st.st_uid == 11);
  CHECK(st.st_gid == 12);
  CHECK(st.st_nlink == 0);
}
