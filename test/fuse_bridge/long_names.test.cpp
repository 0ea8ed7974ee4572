// Names that no file can have because they are too long.
#include <fcntl.h>
#include <sys/stat.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;

TEST_CASE("a name that is too long is told from one that is not there, on every mount") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  const auto how = GENERATE(view::read_only, view::writable);
  CAPTURE(to_string(mode), how == view::writable);
  image_builder builder;
  builder.file("folder/file", "");
  mounted_image image(builder, how, {}, mode);
  struct stat st {};
  for (const auto* folder : {"", "folder/"}) {
    const auto path = [&](std::size_t name_bytes) {
      return image.path(folder + std::string(name_bytes, 'n'));
    };
    CHECK(lstat(path(255).c_str(), &st) != 0);
    CHECK(errno == ENOENT);
    for (const std::size_t bytes : {256U, 1024U, 1025U}) {
      CAPTURE(bytes);
      CHECK(lstat(path(bytes).c_str(), &st) != 0);
      CHECK(errno == ENAMETOOLONG);
      if (how == view::read_only) continue;
      CHECK(unlink(path(bytes).c_str()) != 0);
      CHECK(errno == ENAMETOOLONG);
      CHECK(mkdir(path(bytes).c_str(), 0755) != 0);
      CHECK(errno == ENAMETOOLONG);
      CHECK(rename(image.path("folder/file").c_str(), path(bytes).c_str()) != 0);
      CHECK(errno == ENAMETOOLONG);
    }
    if (how == view::read_only) continue;
    CHECK(mkdir(path(255).c_str(), 0755) == 0);
    CHECK(lstat(path(255).c_str(), &st) == 0);
  }
}
