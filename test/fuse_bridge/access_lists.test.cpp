// Who may use a file of the image that has a POSIX access control list, and what setting one does: acl(5).
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <climits>
#include <cstring>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

struct someone {
  uid_t user = 0;
  gid_t group = 0;
};
constexpr uid_t named_user = 1234;
constexpr gid_t named_group = 4321;
constexpr gid_t owning_group = 4000;
constexpr someone listed_user{named_user, 5000};
constexpr someone of_listed_group{1999, named_group};
constexpr someone of_owning_group{1999, owning_group};
constexpr someone stranger{1999, 5000};

struct rights {
  std::uint16_t owner = 0;
  std::uint16_t owning_group = 0;
  std::uint16_t named = 0;  ///< of the user and the group that are named, and the mask
};

std::vector<xattr> access_list(const rights& of) {
  constexpr auto none = static_cast<std::uint32_t>(ACL_UNDEFINED_ID);
  const posix_acl_xattr_header header{POSIX_ACL_XATTR_VERSION};
  const posix_acl_xattr_entry entries[] = {{ACL_USER_OBJ, of.owner, none},
                                           {ACL_USER, of.named, named_user},
                                           {ACL_GROUP_OBJ, of.owning_group, none},
                                           {ACL_GROUP, of.named, named_group},
                                           {ACL_MASK, of.named, none},
                                           {ACL_OTHER, 0, none}};
  std::string bytes(sizeof header + sizeof entries, '\0');
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, entries, sizeof entries);
  return {{"system.posix_acl_access", bytes}};
}

void guard(image_inode& file, const rights& by) {
  file.gid = owning_group;
  file.xattrs = access_list(by);
}

/// The group bits of a file with a list are its mask, and say nothing of the owning group.
image_builder guarded_image() {
  constexpr auto read_write = ACL_READ | ACL_WRITE;
  constexpr auto look = ACL_READ | ACL_EXECUTE;
  image_builder image;
  image.file("plain", "text", 0640).gid = owning_group;
  guard(image.file("readable", "text", 0640), {.owner = read_write, .named = ACL_READ});
  guard(image.file("writable", "text", 0660),
        {.owner = read_write, .owning_group = ACL_READ, .named = read_write});
  guard(image.directory("folder", 0750), {.owner = look | ACL_WRITE, .named = look});
  image.file("folder/inside", "text");
  return image;
}

/// What open(2) says; 0: it opens. This thread alone is somebody else meanwhile: the C library's functions
/// would make all threads so.
int open_as(const someone& who, const std::string& path, int flags) {
  REQUIRE(syscall(SYS_setresgid, -1, who.group, -1) == 0);
  REQUIRE(syscall(SYS_setresuid, -1, who.user, -1) == 0);
  const file_descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  const int refused = file ? 0 : errno;
  REQUIRE(syscall(SYS_setresuid, -1, 0, -1) == 0);
  REQUIRE(syscall(SYS_setresgid, -1, 0, -1) == 0);
  return refused;
}

/// Sets a list as somebody who is in one group more. @returns the mode after that, or -1
int mode_after_list(const someone& who, gid_t more, const std::string& path) {
  const auto list = access_list({.owner = ACL_READ, .named = ACL_READ}).front().value;
  REQUIRE(syscall(SYS_setgroups, 1, &more) == 0);
  REQUIRE(syscall(SYS_setresgid, -1, who.group, -1) == 0);
  REQUIRE(syscall(SYS_setresuid, -1, who.user, -1) == 0);
  const int status = setxattr(path.c_str(), "system.posix_acl_access", list.data(), list.size(), 0);
  REQUIRE(syscall(SYS_setresuid, -1, 0, -1) == 0);
  REQUIRE(syscall(SYS_setresgid, -1, 0, -1) == 0);
  struct stat st {};
  return status == 0 && stat(path.c_str(), &st) == 0 ? static_cast<int>(st.st_mode & 07777U) : -1;
}

/// This thread has the same groups at the end.
class kept_groups {
 public:
  kept_groups() { groups_.resize(static_cast<std::size_t>(getgroups(NGROUPS_MAX, groups_.data()))); }
  ~kept_groups() { syscall(SYS_setgroups, groups_.size(), groups_.data()); }
  kept_groups(const kept_groups&) = delete;
  kept_groups& operator=(const kept_groups&) = delete;

 private:
  std::vector<gid_t> groups_ = std::vector<gid_t>(NGROUPS_MAX);
};

void check_rights(const mounted_image& image) {
  for (const auto* name : {"readable", "folder/inside"}) {
    CAPTURE(name);
    CHECK(open_as(listed_user, image.path(name), O_RDONLY) == 0);
    CHECK(open_as(of_listed_group, image.path(name), O_RDONLY) == 0);
    CHECK(open_as(of_owning_group, image.path(name), O_RDONLY) == EACCES);
    CHECK(open_as(stranger, image.path(name), O_RDONLY) == EACCES);
  }
  CHECK(open_as(of_owning_group, image.path("plain"), O_RDONLY) == 0);
  CHECK(open_as(listed_user, image.path("plain"), O_RDONLY) == EACCES);
}

}  // namespace

TEST_CASE("access control lists of the image decide who may use a file, on every mount") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  const auto how = GENERATE(view::read_only, view::writable);
  CAPTURE(to_string(mode), how == view::writable);
  mounted_image image(guarded_image(), how, {}, mode);
  fs::permissions(image.fixture.folder(), fs::perms(0755));
  image.source.deliver_all();
  check_rights(image);
  if (how == view::read_only) return;
  CHECK(open_as(of_owning_group, image.path("writable"), O_WRONLY) == EACCES);
  CHECK(open_as(of_owning_group, image.path("writable"), O_RDONLY) == 0);
  CHECK(open_as(listed_user, image.path("writable"), O_WRONLY) == 0);
  CHECK(open_as(of_owning_group, image.path("writable"), O_WRONLY) == EACCES);
  const timespec times[] = {{5, 6}, {7, 8}};
  for (const auto* name : {"readable", "folder"})
    REQUIRE(utimensat(AT_FDCWD, image.path(name).c_str(), times, 0) == 0);
  check_rights(image);
}

TEST_CASE("an access list set by somebody who is not of the file's group takes set-group-id, as on a disk") {
  if (!mounting_is_possible()) return;
  const kept_groups before;
  mounted_image image(guarded_image(), view::writable, {}, mount_mode::fuse);
  const temporary_folder native;
  for (const auto& folder : {image.fixture.folder(), native.path()}) fs::permissions(folder, fs::perms(0755));
  std::ofstream(native.path() / "plain") << "text";
  fs::create_directory(native.path() / "folder");
  const auto mode_in = [](const std::string& path, const someone& who, gid_t more) {
    REQUIRE(chown(path.c_str(), 1999, owning_group) == 0);
    REQUIRE(chmod(path.c_str(), 02755) == 0);
    return mode_after_list(who, more, path);
  };
  for (const auto* name : {"plain", "folder"})
    for (const auto& [who, more] : {std::pair(stranger, gid_t{5000}), std::pair(of_owning_group, gid_t{5000}),
                                    std::pair(stranger, owning_group), std::pair(someone{}, gid_t{5000})}) {
      CAPTURE(name, who.user, who.group, more);
      const auto expected = mode_in((native.path() / name).string(), who, more);
      REQUIRE(expected > 0);
      CHECK(mode_in(image.path(name), who, more) == expected);
    }
}

TEST_CASE("to remove an access list that is not there is no error, as on a disk") {
  if (!mounting_is_possible()) return;
  mounted_image image(guarded_image(), view::writable, {}, mount_mode::fuse);
  const temporary_folder native;
  std::ofstream(native.path() / "plain") << "text";
  for (const auto* list : {"system.posix_acl_access", "system.posix_acl_default"}) {
    CAPTURE(list);
    const auto on_disk = removexattr((native.path() / "plain").c_str(), list);
    CHECK(removexattr(image.path("plain").c_str(), list) == on_disk);
    CHECK(on_disk == 0);
  }
  CHECK_FALSE(fs::exists(image.upper("plain")));
}
