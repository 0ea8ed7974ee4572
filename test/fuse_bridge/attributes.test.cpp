#include "fuse_bridge/attributes.hpp"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <set>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;

namespace {

image_builder everything() {
  image_builder image;
  image.root().permissions = 0751;
  image.root().uid = 7;
  auto& suid = image.file("usr/bin/su", patterned_bytes(40'000, 1), 04755);
  suid.uid = 3;
  suid.gid = 4;
  suid.modified = {981'173'106, 1};
  image.file("usr/bin/ping", "ping").xattrs = {
      {"security.capability", std::string("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)},
      {"user.note", "hello"}};
  image.file("etc/empty", "");
  image.file("etc/name \xff with, odd: bytes\\", "odd");
  image.hard_link("usr/bin/su2", "usr/bin/su");
  image.hard_link("zz", "usr/bin/su");
  image.symlink("bin", "usr/bin");
  image.directory("tmp", 01777);
  image.device("dev/null", file_type::character_device, 1, 3);
  image.device("dev/big", file_type::block_device, 259, 70'000);
  image.device("dev/pipe", file_type::fifo, 0, 0);
  image.file("old", "before 1970").modified = {-5, 999'999'999};
  return image;
}

std::uint64_t size_of(const std::shared_ptr<const toc_view>& toc, const inode_view& inode) {
  return inode.type == file_type::directory ? directory_sizes(toc).of(inode) : inode.size;
}

void check_attributes(const std::shared_ptr<const toc_view>& of, inode_number number,
                      const std::string& path) {
  INFO(path);
  const auto& toc = *of;
  const auto inode = toc.inode(number);
  struct stat st {};
  REQUIRE(lstat(path.c_str(), &st) == 0);
  CHECK(st.st_ino == number);
  CHECK(st.st_mode == inode.mode);
  CHECK(st.st_nlink == inode.links);
  CHECK(st.st_uid == inode.uid);
  CHECK(st.st_gid == inode.gid);
  CHECK(static_cast<std::uint64_t>(st.st_size) == size_of(of, inode));
  CHECK(st.st_mtim.tv_sec == inode.modified.seconds);
  CHECK(st.st_mtim.tv_nsec == static_cast<long>(inode.modified.nanoseconds));
  CHECK(major(st.st_rdev) == inode.device_major);
  CHECK(minor(st.st_rdev) == inode.device_minor);
  if (inode.type == file_type::symlink) CHECK(std::filesystem::read_symlink(path) == inode.symlink_target);
  const auto listed = llistxattr(path.c_str(), nullptr, 0);
  CHECK(static_cast<std::size_t>(listed) == list_xattrs(toc, inode, xattr_names::as_in_image).size());
  for (std::uint32_t i = 0; i < inode.xattr_count; ++i) {
    const auto expected = toc.xattribute(inode, i);
    std::string value(256, '\0');
    const auto got = lgetxattr(path.c_str(), std::string(expected.name).c_str(), value.data(), value.size());
    REQUIRE(got >= 0);
    CHECK(value.substr(0, static_cast<std::size_t>(got)) == expected.value);
  }
}

std::size_t check_tree(const std::shared_ptr<const toc_view>& of, inode_number number,
                       const std::string& path) {
  check_attributes(of, number, path);
  const auto& toc = *of;
  const auto inode = toc.inode(number);
  if (inode.type != file_type::directory) return 1;
  std::set<std::string> expected;
  std::size_t checked = 1;
  for (std::uint32_t i = 0; i < toc.entry_count(inode); ++i) {
    const auto entry = toc.entry(inode, i);
    expected.emplace(entry.name);
    checked += check_tree(of, entry.inode, path + "/" + std::string(entry.name));
  }
  std::set<std::string> listed;
  for (const auto& entry : std::filesystem::directory_iterator(path)) listed.insert(entry.path().filename());
  CHECK(listed == expected);
  return checked;
}

}  // namespace

TEST_CASE("every attribute of a read-only mount is the image's while no content has arrived") {
  if (!mounting_is_possible()) return;
  mounted_image image(everything());
  CHECK(check_tree(image.image.toc, root_inode, image.root()) == 17);
  CHECK(image.source.wanted().empty());
}

TEST_CASE("an image without extended attributes has empty lists and none to find") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("a", "a");
  mounted_image image(builder);
  CHECK(llistxattr(image.path("a").c_str(), nullptr, 0) == 0);
  for (int i = 0; i < 2; ++i) {
    char value[8];
    CHECK(lgetxattr(image.path("a").c_str(), "user.none", value, sizeof value) == -1);
    CHECK((errno == ENODATA || errno == EOPNOTSUPP));
  }
}

TEST_CASE("statfs describes a full file system of the image's size") {
  if (!mounting_is_possible()) return;
  mounted_image image(everything());
  struct statvfs fs {};
  REQUIRE(statvfs(image.root().c_str(), &fs) == 0);
  CHECK(fs.f_files == image.image.toc->inode_count());
  CHECK(fs.f_bfree == 0);
  CHECK(fs.f_blocks == blocks_of_image(*image.image.toc));
  CHECK(fs.f_blocks * fs.f_frsize >= image.image.toc->content_bytes());
  CHECK(fs.f_blocks * fs.f_frsize < image.image.toc->content_bytes() + 1'000'000);
  CHECK((fs.f_flag & ST_RDONLY) != 0);
}

TEST_CASE("overlay marks in an image are data behind an escaped name") {
  image_builder builder;
  builder.file("a", "a").xattrs = {{"trusted.overlay.opaque", "y"}, {"user.x", "1"}};
  const auto image = builder.build();
  const auto inode = image.toc->inode(2);
  CHECK(list_xattrs(*image.toc, inode, xattr_names::escaped_for_overlay) ==
        std::string("trusted.overlay.overlay.opaque\0user.x\0", 38));
  CHECK_FALSE(find_xattr(*image.toc, inode, "trusted.overlay.opaque", xattr_names::escaped_for_overlay));
  CHECK(find_xattr(*image.toc, inode, "trusted.overlay.overlay.opaque", xattr_names::escaped_for_overlay) ==
        "y");
  CHECK(find_xattr(*image.toc, inode, "trusted.overlay.opaque", xattr_names::as_in_image) == "y");
}
