// What was made of the root folder of a mount is there at the next one, also if nothing else was changed.
#include <fcntl.h>
#include <sys/stat.h>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/fuse_bridge/session_bench.hpp"

using namespace firstlight;

TEST_CASE("a changed root is as it was left in the next session, and a fresh one as in the image") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto of_image = bench.tree->attributes(root_inode)->st_mode;
  bench.start();
  CHECK(bench.tree->attributes(root_inode)->st_mode == of_image);
  REQUIRE(bench.change_mode(root_inode, 0700));
  REQUIRE(bench.change_owner(root_inode, 1000));
  for (int session = 0; session < 2; ++session) {
    bench.start();
    CHECK(bench.tree->attributes(root_inode)->st_mode == (S_IFDIR | 0700U));
    CHECK(bench.tree->attributes(root_inode)->st_uid == 1000);
  }
}

TEST_CASE("a root that alone was changed on one mount is as it was left on the next, in whatever modes") {
  if (!mounting_is_possible()) return;
  const auto first = GENERATE(mount_mode::fuse, mount_mode::overlay, mount_mode::hybrid);
  const auto second = GENERATE(mount_mode::fuse, mount_mode::overlay, mount_mode::hybrid);
  CAPTURE(to_string(first), to_string(second));
  image_builder builder;
  builder.file("file", "contents");
  mounted_image image(builder, view::writable, {}, first);
  const timespec times[] = {{5, 6}, {7, 8}};
  REQUIRE(chown(image.root().c_str(), 12, 34) == 0);
  REQUIRE(chmod(image.root().c_str(), 0750) == 0);
  REQUIRE(utimensat(AT_FDCWD, image.root().c_str(), times, 0) == 0);
  for (const auto next : {second, first}) {
    image.mount_again(next);
    struct stat st {};
    REQUIRE(stat(image.root().c_str(), &st) == 0);
    CHECK(st.st_mode == (S_IFDIR | 0750U));
    CHECK(st.st_uid == 12);
    CHECK(st.st_gid == 34);
    CHECK(st.st_mtim.tv_sec == 7);
  }
}
