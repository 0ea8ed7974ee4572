#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fstream>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = default_block_bytes;

struct stat attributes(const std::string& path) {
  struct stat st {};
  REQUIRE(lstat(path.c_str(), &st) == 0);
  return st;
}

image_builder small_system() {
  image_builder image;
  image.root().permissions = 0711;
  image.root().uid = 5;
  image.root().modified = {1'000'000'000, 7};
  image.file("etc/conf", "old configuration", 0640).uid = 9;
  image.file("etc/gone", "to be removed");
  image.file("big", patterned_bytes(20 * block, 1));
  image.hard_link("etc/big-too", "big");
  image.directory("var/lib/data", 0700);
  image.file("var/lib/data/file", "data");
  image.file("opaque", "x").xattrs = {{"trusted.overlay.opaque", "y"}, {"user.kept", "1"}};
  return image;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  REQUIRE(file.flush());
}

}  // namespace

TEST_CASE("the writable view shows the image's attributes, the root's too") {
  if (!mounting_is_possible()) return;
  mounted_image image(small_system(), view::writable, {},
                      GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse));
  const auto root = attributes(image.root());
  CHECK((root.st_mode & 07777U) == 0711);
  CHECK(root.st_uid == 5);
  CHECK(root.st_mtim.tv_sec == 1'000'000'000);
  CHECK(root.st_mtim.tv_nsec == 7);
  const auto conf = attributes(image.path("etc/conf"));
  CHECK((conf.st_mode & 07777U) == 0640);
  CHECK(conf.st_uid == 9);
  CHECK(conf.st_mtim.tv_nsec == 123'456'789);
  CHECK(attributes(image.path("big")).st_nlink == 2);
  CHECK(attributes(image.path("big")).st_ino == attributes(image.path("etc/big-too")).st_ino);
  CHECK(attributes(image.path("big")).st_dev == root.st_dev);
  CHECK(attributes(image.path("var")).st_nlink == 3);
  char value[8];
  CHECK(getxattr(image.path("opaque").c_str(), "user.kept", value, sizeof value) == 1);
  CHECK(image.source.wanted().empty());
}

TEST_CASE("files are written, renamed, linked and removed above the image") {
  if (!mounting_is_possible()) return;
  mounted_image image(small_system(), view::writable, {},
                      GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse));
  image.source.deliver_all();
  const auto number = attributes(image.path("etc/conf")).st_ino;
  write_file(image.path("etc/conf"), "new");
  CHECK(read_file(image.path("etc/conf")) == "new");
  CHECK(attributes(image.path("etc/conf")).st_uid == 9);
  CHECK(attributes(image.path("etc/conf")).st_ino == number);
  fs::remove(image.path("etc/gone"));
  CHECK_FALSE(fs::exists(image.path("etc/gone")));
  fs::rename(image.path("var/lib/data"), image.path("var/lib/moved"));
  CHECK(read_file(image.path("var/lib/moved/file")) == "data");
  fs::create_hard_link(image.path("etc/conf"), image.path("etc/conf2"));
  CHECK(attributes(image.path("etc/conf")).st_nlink == 2);
  fs::remove_all(image.path("var"));
  fs::create_directory(image.path("var"));
  CHECK(fs::is_empty(image.path("var")));
}

TEST_CASE("changing attributes of a file needs none of its contents") {
  if (!mounting_is_possible()) return;
  mounted_image image(small_system(), view::writable, {},
                      GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse));
  REQUIRE(chown(image.path("big").c_str(), 12, 34) == 0);
  REQUIRE(chmod(image.path("big").c_str(), 0600) == 0);
  CHECK(attributes(image.path("big")).st_uid == 12);
  CHECK(image.source.wanted().empty());
  image.source.deliver_all();
  CHECK(read_file(image.path("big")) == patterned_bytes(20 * block, 1));
}

TEST_CASE("a program copied into an image runs from the writable mount") {
  if (!mounting_is_possible()) return;
  const auto program = read_file("/bin/true");
  REQUIRE(program);
  image_builder builder;
  builder.file("bin/true", *program, 0755);
  mounted_image image(builder, view::writable, {},
                      GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse));
  image.source.on_want(fake_source::answer::deliver);
  CHECK(std::system((image.path("bin/true") + " && cp " + image.path("bin/true") + " " + image.path("copy") +
                     " && " + image.path("copy"))
                        .c_str()) == 0);
  const auto status = image.status();
  CHECK(status.waits > 0);
  CHECK(status.waiting_now == 0);
}

TEST_CASE("paths with commas, colons and backslashes can be mounted") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("a", "a");
  mount_fixture fixture;
  const auto image = builder.build();
  const auto odd = fixture.folder() / "od,d:\\ name";
  fs::create_directories(odd / "root");
  const auto made = fixture.mount(
      {"odd", image.toc, {}, odd / "root", writable_layer{odd / "upper", odd / "work"}, mount_mode::overlay});
  REQUIRE(made);
  CHECK(made->method == "overlay on FUSE");
  write_file((odd / "root" / "b").string(), "b");
  CHECK(read_file((odd / "upper" / "b").string()) == "b");
  fixture.end(made->handle);
  CHECK_FALSE(fs::exists(odd / "root" / "a"));
}

TEST_CASE("a mount that the kernel refuses leaves nothing behind") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("a", "a");
  mount_fixture fixture;
  const auto image = builder.build();
  const auto root = fixture.folder() / "root";
  SECTION("no target") {
    const auto made = fixture.mount({"one", image.toc, {}, root, {}});
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::not_found);
  }
  SECTION("work folder on another file system") {
    fs::create_directory(root);
    const auto made = fixture.mount({"one",
                                     image.toc,
                                     {},
                                     root,
                                     writable_layer{fixture.folder() / "upper", "/dev/shm/firstlight-work"},
                                     mount_mode::overlay});
    fs::remove_all("/dev/shm/firstlight-work");
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::unsupported);
    CHECK(made.error().detail.find("mount overlayfs on") != std::string::npos);
  }
  SECTION("a bad name") {
    const auto made = fixture.mount({"../one", image.toc, {}, root, {}});
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::invalid_argument);
  }
  CHECK((!fs::exists(fixture.mounts_folder()) || fs::is_empty(fixture.mounts_folder())));
}

TEST_CASE("a file that was written and renamed is there after a remount") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse);
  mounted_image image(small_system(), view::writable, {}, mode);
  image.source.deliver_all();
  write_file(image.path("etc/conf"), "new");
  fs::rename(image.path("etc/conf"), image.path("var/moved"));
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  const auto again = image.fixture.mount(image.request(view::writable));
  REQUIRE(again);
  image.mount = again->handle;
  image.source.deliver_all();
  CHECK(read_file(image.path("var/moved")) == "new");
  CHECK(attributes(image.path("var/moved")).st_uid == 9);
}
