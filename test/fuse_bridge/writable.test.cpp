// What mode fuse has of its own: the read-write layer that it writes, and what it does not wait for.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <future>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = default_block_bytes;
constexpr std::size_t big_bytes = 20 * block + 5;

image_builder system_image() {
  image_builder image;
  image.file("etc/conf", "old configuration", 0640).uid = 9;
  image.file("etc/gone", "to be removed");
  image.file("big", patterned_bytes(big_bytes, 1), 04755);
  image.file("var/lib/data/file", "data");
  image.hard_link("etc/big-too", "big");
  image.hard_link("var/lib/big-three", "big");
  image.file("var/lib/data/other", patterned_bytes(3 * block, 2));
  image.file("marked", "x").xattrs = {{"trusted.overlay.opaque", "y"}, {"user.kept", "1"}};
  image.symlink("var/link", "lib/data");
  return image;
}

class writable_mount : public mounted_image {
 public:
  explicit writable_mount(mount_mode as = mount_mode::fuse, fuse_limits limits = {})
      : mounted_image(system_image(), view::writable, limits, as) {}
};

struct stat look(const std::string& path) {
  struct stat st {};
  if (lstat(path.c_str(), &st) != 0) FAIL(path << ": " << std::strerror(errno));
  return st;
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  REQUIRE(file.flush());
}

std::string attribute(const std::string& path, const char* name) {
  char value[256];
  const auto bytes = lgetxattr(path.c_str(), name, value, sizeof value);
  return bytes < 0 ? std::string("errno ") + std::to_string(errno)
                   : std::string(value, static_cast<std::size_t>(bytes));
}

}  // namespace

TEST_CASE("a hard-linked file of the image stays one file when it is written to or changed") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 20U);  // promoted by the copier, and at once
  writable_mount image(mount_mode::fuse, limits);
  const timespec times[] = {{5, 6}, {7, 8}};
  REQUIRE(utimensat(AT_FDCWD, image.path("var/lib").c_str(), times, 0) == 0);
  const auto number = look(image.path("big")).st_ino;
  REQUIRE(chmod(image.path("etc/big-too").c_str(), 0600) == 0);
  CHECK(look(image.path("big")).st_mode == (S_IFREG | 0600));
  image.source.deliver_all();
  {
    std::fstream file(image.path("var/lib/big-three"), std::ios::in | std::ios::out);
    file << "new";
    REQUIRE(file.flush());
  }
  const auto expected = "new" + patterned_bytes(big_bytes, 1).substr(3);
  for (const auto* name : {"big", "etc/big-too", "var/lib/big-three"}) {
    CHECK(read_file(image.path(name)) == expected);
    CHECK(look(image.path(name)).st_ino == number);
    CHECK(look(image.path(name)).st_nlink == 3);
  }
  CHECK(look(image.path("var/lib")).st_mtim.tv_nsec == 8);
  CHECK(attribute(image.upper("big"), "trusted.overlay.metacopy").starts_with("errno"));
  fs::remove(image.path("big"));
  CHECK(look(image.path("etc/big-too")).st_nlink == 2);
  image.mount_again(mount_mode::fuse);
  CHECK_FALSE(fs::exists(image.path("big")));
  CHECK(read_file(image.path("etc/big-too")) == expected);
  CHECK(look(image.path("etc/big-too")).st_nlink == 2);
  CHECK(look(image.path("etc/big-too")).st_ino == number);
  CHECK(look(image.path("var/lib/big-three")).st_ino == number);
}

TEST_CASE("a removed name of a hard-linked file is counted, also after a remount") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  fs::remove(image.path("etc/big-too"));
  CHECK(look(image.path("big")).st_nlink == 2);
  image.mount_again(mount_mode::fuse);
  CHECK(look(image.path("big")).st_nlink == 2);
  fs::remove_all(image.path("var"));
  CHECK(look(image.path("big")).st_nlink == 1);
  CHECK_FALSE(fs::exists(image.upper("big")));
}

TEST_CASE("nothing waits for contents that are truncated away, removed or only renamed") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  REQUIRE(chown(image.path("big").c_str(), 12, 34) == 0);
  const timespec times[] = {{5, 6}, {7, 8}};
  REQUIRE(utimensat(AT_FDCWD, image.path("etc/conf").c_str(), times, 0) == 0);
  REQUIRE(setxattr(image.path("etc/conf").c_str(), "user.a", "b", 1, 0) == 0);
  fs::rename(image.path("var/lib/data"), image.path("var/data"));
  fs::rename(image.path("etc/conf"), image.path("conf"));
  fs::create_hard_link(image.path("conf"), image.path("conf-too"));
  fs::remove(image.path("etc/gone"));
  write_file(image.path("var/data/other"), "short");  // O_TRUNC
  REQUIRE(truncate(image.path("big").c_str(), 0) == 0);
  CHECK(read_file(image.path("var/data/other")) == "short");
  CHECK(look(image.path("big")).st_size == 0);
  CHECK(look(image.path("conf-too")).st_mtim.tv_nsec == 8);
  CHECK(image.source.wanted().empty());
  image.source.deliver_all();
  CHECK(read_file(image.path("conf-too")) == "old configuration");
  CHECK(read_file(image.path("var/data/file")) == "data");
}

TEST_CASE("opening for writing waits for the contents, and a file cut short for what stays") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  auto opened = std::async(std::launch::async, [&] {
    return file_descriptor(::open(image.path("var/lib/data/other").c_str(), O_RDWR));
  });
  REQUIRE(image.source.wait_for_wants(1));
  image.source.deliver_all();
  const auto file = opened.get();
  REQUIRE(file);
  REQUIRE(pwrite(file.get(), "x", 1, 0) == 1);
  CHECK(read_file(image.path("var/lib/data/other")) == "x" + patterned_bytes(3 * block, 2).substr(1));

  writable_mount other;
  auto cut = std::async(std::launch::async,
                        [&] { return truncate(other.path("big").c_str(), static_cast<off_t>(block + 1)); });
  REQUIRE(other.source.wait_for_wants(1));
  const auto wanted = other.source.wanted().front();
  CHECK(wanted.first == 0);
  other.source.deliver({wanted.content, 0, 2});
  CHECK(cut.get() == 0);
  CHECK(read_file(other.path("etc/big-too")) == patterned_bytes(big_bytes, 1).substr(0, block + 1));
}

TEST_CASE("giving a file of the image another size by its path changes its time") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 20U);
  const auto bytes = GENERATE(as<std::size_t>{}, 0, big_bytes / 2, big_bytes + 5);
  CAPTURE(limits.copied_at_once_bytes_max, bytes);
  writable_mount image(mount_mode::fuse, limits);
  image.source.deliver_all();
  const auto before = look(image.path("big")).st_mtim.tv_sec;
  REQUIRE(truncate(image.path("big").c_str(), static_cast<off_t>(bytes)) == 0);
  CHECK(look(image.path("big")).st_mtim.tv_sec != before);
  CHECK(look(image.path("big")).st_size == static_cast<off_t>(bytes));
}

TEST_CASE("contents that cannot come refuse an open for writing, and change nothing") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  image.source.on_want(fake_source::answer::fail);
  CHECK(::open(image.path("big").c_str(), O_RDWR) < 0);
  CHECK(errno == EIO);
  CHECK(look(image.path("big")).st_size == static_cast<off_t>(big_bytes));
  CHECK(attribute(image.upper("big"), "trusted.overlay.metacopy").empty());
}

TEST_CASE("what one mode has written every other mode shows") {
  if (!mounting_is_possible()) return;
  const auto first = GENERATE(mount_mode::fuse, mount_mode::overlay, mount_mode::hybrid);
  const auto second = GENERATE(mount_mode::fuse, mount_mode::overlay, mount_mode::hybrid);
  writable_mount image(first);
  image.source.deliver_all();
  fs::rename(image.path("var/lib/data"), image.path("etc/data"));
  fs::create_directory(image.path("var/lib/data"));
  write_file(image.path("var/lib/data/mine"), "made here");
  REQUIRE(chmod(image.path("etc/conf").c_str(), 0604) == 0);
  fs::rename(image.path("etc/conf"), image.path("var/conf"));
  fs::remove(image.path("etc/gone"));
  fs::remove(image.path("var/link"));
  write_file(image.path("etc/data/file"), "changed");
  fs::create_symlink("nowhere", image.path("etc/link"));
  REQUIRE(setxattr(image.path("marked").c_str(), "trusted.overlay.redirect", "z", 1, 0) == 0);
  REQUIRE(mknod(image.path("etc/pipe").c_str(), S_IFIFO | 0600, 0) == 0);
  image.mount_again(second);
  CHECK(read_file(image.path("etc/data/other")) == patterned_bytes(3 * block, 2));
  CHECK(read_file(image.path("etc/data/file")) == "changed");
  CHECK(read_file(image.path("var/lib/data/mine")) == "made here");
  CHECK_FALSE(fs::exists(image.path("var/lib/data/file")));
  CHECK(read_file(image.path("var/conf")) == "old configuration");
  CHECK(look(image.path("var/conf")).st_mode == (S_IFREG | 0604));
  CHECK(look(image.path("var/conf")).st_uid == 9);
  CHECK_FALSE(fs::exists(image.path("etc/conf")));
  CHECK_FALSE(fs::exists(image.path("etc/gone")));
  CHECK_FALSE(fs::exists(fs::symlink_status(image.path("var/link"))));
  CHECK(fs::read_symlink(image.path("etc/link")) == "nowhere");
  CHECK(fs::is_fifo(image.path("etc/pipe")));
  CHECK(attribute(image.path("marked"), "trusted.overlay.opaque") == "y");
  CHECK(attribute(image.path("marked"), "trusted.overlay.redirect") == "z");
  // And it goes on from there.
  fs::rename(image.path("etc/data"), image.path("var/lib/again"));
  fs::remove(image.path("var/lib/data/mine"));
  fs::remove(image.path("var/lib/data"));
  image.mount_again(first);
  CHECK(read_file(image.path("var/lib/again/other")) == patterned_bytes(3 * block, 2));
  CHECK_FALSE(fs::exists(image.path("var/lib/data")));
}

TEST_CASE("names and devices that a layer could not tell from a whiteout cannot be made") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  const auto name = image.path("etc/.wh.name");
  CHECK(::open(name.c_str(), O_CREAT | O_WRONLY, 0600) < 0);
  CHECK(errno == EPERM);
  CHECK(mkdir(name.c_str(), 0700) != 0);
  CHECK(errno == EPERM);
  CHECK(symlink("x", name.c_str()) != 0);
  CHECK(errno == EPERM);
  CHECK(link(image.path("marked").c_str(), name.c_str()) != 0);
  CHECK(errno == EPERM);
  CHECK(rename(image.path("marked").c_str(), name.c_str()) != 0);
  CHECK(errno == EPERM);
  CHECK(mknod(image.path("etc/zero").c_str(), S_IFCHR | 0600, makedev(0, 0)) != 0);
  CHECK(errno == EPERM);
  CHECK(mknod(image.path("etc/null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
}

TEST_CASE("new files belong to who makes them, and heed umask, set-group-id folders and default ACLs") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  const auto before = umask(027);
  write_file(image.path("etc/plain"), "");
  CHECK((look(image.path("etc/plain")).st_mode & 07777) == 0640);
  fs::create_directory(image.path("group"));
  REQUIRE(chown(image.path("group").c_str(), 3, 77) == 0);
  REQUIRE(chmod(image.path("group").c_str(), 02770) == 0);
  fs::create_directory(image.path("group/inner"));
  CHECK(look(image.path("group/inner")).st_gid == 77);
  CHECK((look(image.path("group/inner")).st_mode & 07777) == 02750);
  // version 2; user::rwx user:1000:rw- group::r-x mask::rwx other::---: acl(5), linux/posix_acl_xattr.h
  const auto entry = [](std::uint16_t tag, std::uint16_t bits, std::uint32_t id) {
    std::string text(8, '\0');
    std::memcpy(text.data(), &tag, 2);
    std::memcpy(text.data() + 2, &bits, 2);
    std::memcpy(text.data() + 4, &id, 4);
    return text;
  };
  constexpr std::uint32_t nobody = 0xffffffff;
  const auto acl = std::string("\2\0\0\0", 4) + entry(1, 7, nobody) + entry(2, 6, 1000) +
                   entry(4, 5, nobody) + entry(16, 7, nobody) + entry(32, 0, nobody);
  fs::create_directory(image.path("shared"));
  REQUIRE(setxattr(image.path("shared").c_str(), "system.posix_acl_default", acl.data(), acl.size(), 0) == 0);
  write_file(image.path("shared/file"), "");
  umask(before);
  CHECK((look(image.path("shared/file")).st_mode & 07777) == 0660);  // the mask stands where the group did
  CHECK(attribute(image.path("shared/file"), "system.posix_acl_access").size() == acl.size());
}

TEST_CASE("files without a name get one, and removed ones live on while they are open") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  image.source.deliver_all();
  const file_descriptor unnamed(::open(image.path("etc").c_str(), O_TMPFILE | O_RDWR, 0600));
  REQUIRE(unnamed);
  REQUIRE(pwrite(unnamed.get(), "text", 4, 0) == 4);
  REQUIRE(linkat(AT_FDCWD, ("/proc/self/fd/" + std::to_string(unnamed.get())).c_str(), AT_FDCWD,
                 image.path("etc/named").c_str(), AT_SYMLINK_FOLLOW) == 0);
  CHECK(read_file(image.path("etc/named")) == "text");
  CHECK(look(image.path("etc/named")).st_nlink == 1);

  for (const auto* name : {"etc/named", "var/lib/data/other"}) {
    const file_descriptor open(::open(image.path(name).c_str(), O_RDWR));
    REQUIRE(open);
    fs::remove(image.path(name));
    struct stat st {};
    REQUIRE(fstat(open.get(), &st) == 0);
    CHECK(st.st_nlink == 0);
    CHECK(pwrite(open.get(), "more", 4, 100) == 4);
    char read_back[4];
    CHECK(pread(open.get(), read_back, 4, 100) == 4);
    CHECK(std::string_view(read_back, 4) == "more");
  }
  const file_descriptor old(::open(image.path("etc/conf").c_str(), O_RDONLY));
  fs::remove(image.path("etc/conf"));
  REQUIRE(fchmod(old.get(), 0600) == 0);
  char text[3];
  CHECK(pread(old.get(), text, 3, 0) == 3);
  CHECK(std::string_view(text, 3) == "old");
}

TEST_CASE("a reader sees what is written after it has opened a file of the image") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  image.source.deliver_all();
  const file_descriptor reader(::open(image.path("etc/conf").c_str(), O_RDONLY));
  char text[3];
  REQUIRE(pread(reader.get(), text, 3, 0) == 3);
  const file_descriptor writer(::open(image.path("etc/conf").c_str(), O_WRONLY));
  REQUIRE(pwrite(writer.get(), "new", 3, 0) == 3);
  REQUIRE(pread(reader.get(), text, 3, 0) == 3);
  CHECK(std::string_view(text, 3) == "new");
}

TEST_CASE("a crash between the names of a promoted file is mended at the next mount") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  REQUIRE(chmod(image.path("big").c_str(), 0600) == 0);
  REQUIRE(fs::exists(image.upper("var/lib/big-three")));
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  // As if the process had died after the first of three.
  fs::remove(image.upper("etc/big-too"));
  fs::remove(image.upper("var/lib/big-three"));
  const auto left = image.fixture.folder() / "work" / "firstlight" / "left";
  fs::create_directories(left.parent_path());
  write_file(left.string(), "");
  const auto again = image.fixture.mount(image.request(view::writable));
  REQUIRE(again);
  image.mount = again->handle;
  CHECK_FALSE(fs::exists(left));
  for (const auto* name : {"etc/big-too", "var/lib/big-three"}) {
    CHECK(look(image.path(name)).st_mode == (S_IFREG | 0600));
    CHECK(look(image.path(name)).st_nlink == 3);
    CHECK(look(image.upper(name)).st_ino == look(image.upper("big")).st_ino);
  }
}

TEST_CASE("statfs of a writable mount tells the space of the disk that it writes to") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  struct statvfs shown {};
  struct statvfs disk {};
  REQUIRE(statvfs(image.path("etc").c_str(), &shown) == 0);
  REQUIRE(statvfs(image.fixture.folder().c_str(), &disk) == 0);
  CHECK(shown.f_blocks * shown.f_frsize == disk.f_blocks * disk.f_frsize);
  CHECK(shown.f_files == disk.f_files);
  CHECK(shown.f_bavail > 0);
  CHECK(shown.f_namemax == disk.f_namemax);
}

TEST_CASE("removing while listing leaves nothing out") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  fs::create_directory(image.path("many"));
  for (int i = 0; i < 1'000; ++i) write_file(image.path("many/" + std::to_string(i)), "");
  CHECK(fs::remove_all(image.path("many")) == 1'001);
  CHECK_FALSE(fs::exists(image.path("many")));
}

TEST_CASE("locks exclude, unknown ioctls are no terminal's, and holes are found") {
  if (!mounting_is_possible()) return;
  writable_mount image;
  image.source.deliver_all();
  const file_descriptor one(::open(image.path("etc/conf").c_str(), O_RDWR));
  const file_descriptor other(::open(image.path("etc/conf").c_str(), O_RDWR));
  REQUIRE(flock(one.get(), LOCK_EX | LOCK_NB) == 0);
  CHECK(flock(other.get(), LOCK_EX | LOCK_NB) != 0);
  CHECK(errno == EWOULDBLOCK);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  REQUIRE(fcntl(one.get(), F_OFD_SETLK, &whole) == 0);
  CHECK(fcntl(other.get(), F_OFD_SETLK, &whole) != 0);
  CHECK(errno == EAGAIN);
  CHECK(ioctl(one.get(), TCGETS, nullptr) != 0);
  CHECK(errno == ENOTTY);

  const file_descriptor sparse(::open(image.path("sparse").c_str(), O_RDWR | O_CREAT, 0600));
  REQUIRE(pwrite(sparse.get(), "x", 1, 1 << 20) == 1);
  const bool lent = image.status().opens_through > 0;  // else it may be mapped and written to
  CHECK(lseek(sparse.get(), 0, SEEK_DATA) == (lent ? 1 << 20 : 0));
  CHECK(lseek(sparse.get(), 0, SEEK_HOLE) == (lent ? 0 : (1 << 20) + 1));
  const file_descriptor whole_file(::open(image.path("big").c_str(), O_RDONLY));
  CHECK(lseek(whole_file.get(), 5, SEEK_DATA) == 5);
  CHECK(lseek(whole_file.get(), 5, SEEK_HOLE) == static_cast<off_t>(big_bytes));
  CHECK(lseek(whole_file.get(), static_cast<off_t>(big_bytes), SEEK_DATA) < 0);
  CHECK(errno == ENXIO);
}
