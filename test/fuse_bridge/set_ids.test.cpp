// Files that run as their owner or group, when somebody changes them.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr uid_t somebody = 1999;

/// This thread alone is somebody else meanwhile.
template <class Work>
int run_as(uid_t user, Work work) {
  REQUIRE(syscall(SYS_setresuid, -1, user, -1) == 0);
  const int status = work();
  REQUIRE(syscall(SYS_setresuid, -1, 0, -1) == 0);
  return status;
}

int change(const std::string& how, const std::string& path) {
  if (how == "truncate") return truncate(path.c_str(), 1);
  const int flags = how == "open and truncate" ? O_TRUNC : 0;
  const file_descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | flags));
  if (!file) return -1;
  return how != "write" || pwrite(file.get(), "x", 1, 0) == 1 ? 0 : -1;
}

mode_t mode_of(const std::string& path) {
  struct stat st {};
  REQUIRE(lstat(path.c_str(), &st) == 0);
  return st.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a file that was changed by somebody else does not run as its owner or group any more") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  fuse_limits limits;
  limits.passthrough = GENERATE(true, false);
  if (mode != mount_mode::fuse && !limits.passthrough) return;
  const std::string how =
      GENERATE(Catch::Generators::as<std::string>(), "open and truncate", "truncate", "write");
  const bool of_image = GENERATE(true, false);
  const bool by_root = GENERATE(true, false);
  CAPTURE(to_string(mode), limits.passthrough, how, of_image, by_root);
  image_builder builder;
  if (of_image)
    for (const auto& [name, permissions] : {std::pair("user", 04777), std::pair("both", 06777)})
      builder.file(name, "a program", static_cast<std::uint16_t>(permissions));
  mounted_image image(builder, view::writable, limits, mode);
  fs::permissions(image.fixture.folder(), fs::perms(0755));
  image.source.deliver_all();
  for (const auto& [name, permissions] : {std::pair("user", 04777U), std::pair("both", 06777U)}) {
    CAPTURE(name);
    const auto path = image.path(name);
    if (!of_image) std::ofstream(path) << "a program";
    if (!of_image) REQUIRE(chmod(path.c_str(), permissions) == 0);
    REQUIRE(mode_of(path) == permissions);
    CHECK(run_as(by_root ? 0 : somebody, [&] { return change(how, path); }) == 0);
    CHECK(mode_of(path) == (by_root ? permissions : 0777U));
  }
}

TEST_CASE("a file that gets another owner does not run as that") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", "a program", 06755);
  const mounted_image image(builder, view::writable, {}, mount_mode::fuse);
  REQUIRE(chown(image.path("file").c_str(), somebody, static_cast<gid_t>(-1)) == 0);
  CHECK(mode_of(image.path("file")) == 0755U);
}
