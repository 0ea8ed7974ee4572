// Extended attributes that only root may read: xattr(7).
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

/// What listxattr(2) tells; also asked how many bytes that takes. This thread alone is somebody else
/// meanwhile.
std::vector<std::string> names_told_to(uid_t user, const std::string& path) {
  REQUIRE(syscall(SYS_setresuid, -1, user, -1) == 0);
  std::string all(4096, '\0');
  const auto wanted = listxattr(path.c_str(), nullptr, 0);
  const auto got = listxattr(path.c_str(), all.data(), all.size());
  REQUIRE(syscall(SYS_setresuid, -1, 0, -1) == 0);
  REQUIRE(got >= 0);
  CHECK(wanted >= got);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < static_cast<std::size_t>(got); at += names.back().size() + 1)
    names.emplace_back(all.c_str() + at);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

TEST_CASE("only root is told of trusted attributes, on every mount") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  const auto how = GENERATE(view::read_only, view::writable);
  CAPTURE(to_string(mode), how == view::writable);
  image_builder builder;
  builder.file("file", "text").xattrs = {{"trusted.secret", "1"}, {"user.known", "2"}};
  mounted_image image(builder, how, {}, mode);
  fs::permissions(image.fixture.folder(), fs::perms(0755));
  image.source.deliver_all();
  const std::vector<std::string> all{"trusted.secret", "user.known"};
  const std::vector<std::string> known{"user.known"};
  CHECK(names_told_to(0, image.path("file")) == all);
  CHECK(names_told_to(1000, image.path("file")) == known);
  if (how == view::read_only) return;
  REQUIRE(setxattr(image.path("file").c_str(), "trusted.other", "3", 1, 0) == 0);
  CHECK(names_told_to(0, image.path("file")).size() == 3);
  CHECK(names_told_to(1000, image.path("file")) == known);
}
