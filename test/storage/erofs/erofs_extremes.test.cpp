#include <sys/stat.h>
#include <sys/xattr.h>

#include "test/harness/node/test_image.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// The image of hand-made files, mounted alone.
struct mounted_image {
  enum class check { with_fsck, none };
  explicit mounted_image(const image_builder& builder, check how = check::with_fsck)
      : built(builder.build()),
        image(write_image(built.toc, folder.path() / "image")),
        mount(mount_erofs(folder.path() / "image", folder.path() / "root")) {
    if (how == check::with_fsck) CHECK(passes_fsck(folder.path() / "image"));
  }

  [[nodiscard]] std::string path(const std::string& relative) const {
    return (mount->path() / relative).string();
  }
  [[nodiscard]] std::vector<std::string> differences() const {
    return first_differences(observe_tree(as_stored(built.toc->tree()), read_zeros),
                             observe_folder(mount->path()));
  }

  temporary_folder folder;
  image_builder::built built;
  erofs_image image;
  std::unique_ptr<mounted_folder> mount;
};

const std::vector<std::string> none;

std::string padded_number(int number, std::size_t digits) {
  const auto text = std::to_string(number);
  return std::string(digits - text.size(), '0') + text;
}

std::string folders(int depth) {
  std::string path;
  for (int i = 0; i < depth; ++i) path += "d/";
  return path;
}

}  // namespace

TEST_CASE("a directory of 20,000 entries lists and finds each") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  for (int i = 0; i < 20'000; ++i) {
    // Names of many lengths, so that blocks end at many places; the longest are the longest that there are.
    const auto name = padded_number(i, 6) + std::string(static_cast<std::size_t>(i % 250), 'n');
    builder.file("d/" + name, i % 3 == 0 ? "x" : "");
  }
  const mounted_image image(builder);
  CHECK(image.differences() == none);
  CHECK_FALSE(fs::exists(image.path("d/000000nn")));
  CHECK_FALSE(fs::exists(image.path("d/~")));
}

TEST_CASE("names are bytes, in the order of bytes around the two dots") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  for (const std::string name :
       {"!", "-", ".-", "..-", "...", ".a", "..a", "\x01", "\xff\xfe", "\xc3(", " \n\t", "~"})
    for (const std::string place : {"", "below/"}) builder.file(place + name, "content");
  builder.file("only\xff/" + std::string(255, '\x80'), "");
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("directories of every size around a block, and inodes at every place in a block") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  for (int entries = 0; entries < 40; ++entries)
    for (int i = 0; i < entries; ++i)
      builder.file("d" + std::to_string(entries) + "/" + std::string(100, 'e') + padded_number(i, 2), "");
  // The dots take 27 bytes, each name 12 and its own: the last name ends a byte before the block, with it,
  // behind.
  for (const std::size_t last : {206U, 207U, 208U}) {
    const auto folder = "full" + std::to_string(last) + "/";
    for (int i = 0; i < 17; ++i) builder.file(folder + std::string(200, 'f') + padded_number(i, 2), "");
    builder.file(folder + std::string(200, 'y'), "");
    builder.file(folder + std::string(last, 'z'), "");
  }
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("symlinks of every length that Linux has") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  for (const std::size_t length :
       {1U, 31U, 32U, 255U, 2000U, 4000U, 4031U, 4032U, 4033U, 4064U, 4065U, 4094U, 4095U})
    builder.symlink("to" + std::to_string(length), std::string(length, 't'));
  builder.symlink("named\xff", "\xff/\xfe");
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("paths may be as long and as deep as they are") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  std::string longest;
  for (int i = 0; i < 15; ++i) longest += std::string(255, static_cast<char>('a' + i)) + "/";
  builder.file(longest + "end", "content");
  builder.file(folders(400) + "end", "content");
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("paths may be deeper than fsck.erofs 1.5 can follow without overrunning its stack") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file(folders(1000) + "end", "content");
  const mounted_image image(builder, mounted_image::check::none);
  CHECK(image.differences() == none);
}

TEST_CASE("times before 1970 and after 2106, to the nanosecond") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  int number = 0;
  for (const timestamp time : {timestamp{-1, 999'999'999},
                               {-2'208'988'800, 1},
                               {0, 0},
                               {0, 1},
                               {4'294'967'296, 5},
                               {4'291'747'200, 0},
                               {253'402'300'799, 999'999'999}}) {
    builder.file("f" + std::to_string(number), "x").modified = time;
    builder.directory("d" + std::to_string(number)).modified = time;
    builder.symlink("l" + std::to_string(number), "x").modified = time;
    builder.device("p" + std::to_string(number++), file_type::fifo, 0, 0).modified = time;
  }
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("owners, modes, links, sizes and device numbers up to their largest") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  auto& owned = builder.file("owned", "x", 07777);
  owned.uid = 4'294'967'294;
  owned.gid = 70'000;
  builder.file("just compact", "x").uid = 65'535;
  builder.file("just not", "x").gid = 65'536;
  builder.device("c", file_type::character_device, 4095, 1'048'575);
  builder.device("b", file_type::block_device, 259, 70'000);
  builder.device("null", file_type::character_device, 1, 3);
  builder.file("linked", "x");
  builder.directory("links");
  for (int i = 0; i < 300; ++i) builder.hard_link("links/" + std::to_string(i), "linked");
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("files of terabytes have their size and no bytes in the image") {
  if (!mounting_is_possible()) return;
  auto tree = image_builder().build().toc->tree();
  for (const std::uint64_t size : {1ULL << 32U, (1ULL << 32U) - 1, (1ULL << 43U) - 1, 1ULL << 43U}) {
    auto& inode = tree.inodes.emplace_back();
    inode.size = size;
    inode.content = static_cast<std::uint32_t>(tree.contents.size());
    tree.contents.push_back({{{{static_cast<std::byte>(inode.content)}}}, size});
    tree.directories[0].entries.push_back(
        {"f" + std::to_string(inode.content), static_cast<std::uint32_t>(tree.inodes.size() - 1)});
  }
  const temporary_folder folder;
  const auto image = write_image(toc_of(tree), folder.path() / "image");
  CHECK(image.bytes() <= 8192);
  CHECK(passes_fsck(folder.path() / "image"));
  const auto mounted = mount_erofs(folder.path() / "image", folder.path() / "root");
  for (std::uint32_t i = 0; i < tree.contents.size(); ++i)
    CHECK(fs::file_size(mounted->path() / ("f" + std::to_string(i))) == tree.contents[i].size);
}

TEST_CASE("many and large extended attributes, of one file and of several") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  const std::string large(65'535, 'v');
  builder.file("large", "x").xattrs = {{"trusted.large", large}, {"user.large", large}};
  builder.file("large too", "").xattrs = {{"trusted.large", large}};
  std::vector<xattr> many(600);
  for (int i = 0; auto& each : many) {
    each = {"trusted.n" + padded_number(i, 4), std::to_string(i)};
    ++i;
  }
  builder.directory("many").xattrs = many;
  builder.file("many too", "").xattrs = many;
  // Around a block's end: entries, names and values that cross it.
  for (std::size_t bytes = 3700; bytes < 4300; bytes += 37)
    builder.file("crossing" + std::to_string(bytes), "").xattrs = {
        {"security.a", std::string(1000, 'a')},
        {"trusted.b", std::string(bytes - 3500, 'b')},
        {"user.c", ""}};
  builder.file("longest name", "x").xattrs = {{"user." + std::string(250, 'n'), "v"}};
  builder.symlink("link", std::string(4000, 't')).xattrs = {{"trusted.t", "of a symlink"}};
  const mounted_image image(builder);
  CHECK(image.differences() == none);
}

TEST_CASE("file capabilities and access lists work as the kernel wants them") {
  if (!mounting_is_possible()) return;
  const std::string capability("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  // user::rw- user:1234:r-- group::--- mask::r-- other::---
  const std::string access(
      "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\4\0\xd2\4\0\0\4\0\0\0\xff\xff\xff\xff"
      "\x10\0\4\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff",
      44);
  image_builder builder;
  builder.file("ping", "x", 0755).xattrs = {{"security.capability", capability}};
  builder.file("shared", "x", 0640).xattrs = {{"system.posix_acl_access", access}};
  builder.directory("folder", 0750).xattrs = {{"system.posix_acl_access", access},
                                              {"system.posix_acl_default", access}};
  const mounted_image image(builder);
  CHECK(image.differences() == none);
  const auto may_read = [&](uid_t user) {
    const auto path = image.path("shared");
    return run_program("setpriv --reuid " + std::to_string(user) + " --clear-groups test -r " + path) == 0;
  };
  fs::permissions(image.folder.path(), fs::perms(0755));
  CHECK(may_read(1234));
  CHECK_FALSE(may_read(1235));
}

TEST_CASE("attributes that Linux shows on no file are left out and counted") {
  image_builder builder;
  builder.file("f", "x").xattrs = {{"com.apple.quarantine", "q"}, {"user.", "no name"}, {"user.kept", "k"}};
  builder.symlink("l", "x").xattrs = {{"system.posix_acl_access", "a"}, {"user.of a symlink", "u"}};
  CHECK(planned(builder.build().toc).xattrs_left_out() == 4);
}

}  // namespace firstlight
