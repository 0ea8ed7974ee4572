#include <sys/stat.h>
#include <sys/statvfs.h>

#include <rapidcheck.h>

#include "storage/erofs/shown_sizes.hpp"
#include "test/harness/folder_tree.hpp"
#include "test/harness/random_tree.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

/// Attributes that `random_image_tree` does not have, some on several inodes.
void decorate(image_tree& tree, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::string acl(
      "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\4\0\7\0\0\0\4\0\4\0\xff\xff\xff\xff\x10\0\4\0\xff\xff"
      "\xff\xff\x20\0\4\0\xff\xff\xff\xff",
      44);
  const std::vector<xattr> choice{
      {"security.capability", std::string("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)},
      {"system.posix_acl_access", acl},
      {"trusted.overlay.opaque", "y"},
      {"trusted.overlay.overlay.metacopy", "nested"},
      {"trusted.own", std::string(3000, 't')},
      {"unknown.name", "which Linux does not have"},
      {"user.once", std::to_string(seed)}};
  for (auto& inode : tree.inodes) {
    for (const auto& each : choice)
      if (random() % 16 == 0) inode.xattrs.push_back(each);
    std::sort(inode.xattrs.begin(), inode.xattrs.end());
    if (random() % 50 == 0) inode.links += 70'000;
  }
}

std::size_t early_names_in(const std::string& image) {
  std::size_t count = 0;
  for (auto at = image.find("/@@/"); at != std::string::npos; at = image.find("/@@/", at + 1)) ++count;
  return count;
}

/// Whether st_ino of every path is what the image says.
bool shows_its_numbers(const erofs_image& image, const toc_view& toc, const std::filesystem::path& root) {
  std::vector<std::pair<inode_number, std::string>> open{{root_inode, root.string()}};
  bool equal = true;
  while (!open.empty()) {
    const auto [number, path] = open.back();
    open.pop_back();
    struct stat status {};
    equal = equal && lstat(path.c_str(), &status) == 0 && status.st_ino == image.shown_number(number);
    const auto inode = toc.inode(number);
    if (inode.type != file_type::directory) continue;
    for (std::uint32_t position = 0; position < toc.entry_count(inode); ++position) {
      const auto entry = toc.entry(inode, position);
      open.emplace_back(entry.inode, path + "/" + std::string(entry.name));
    }
  }
  return equal;
}

/// Whether sizes of directories and of the whole are what all modes show.
bool shows_sizes(const shared_toc& toc, const std::filesystem::path& root) {
  const directory_sizes sizes(toc);
  std::vector<std::pair<inode_number, std::string>> open{{root_inode, root.string()}};
  struct statvfs fs {};
  bool equal = statvfs(root.c_str(), &fs) == 0 && fs.f_blocks == blocks_of_image(*toc) &&
               fs.f_files - fs.f_ffree == toc->inode_count();
  while (!open.empty()) {
    const auto [number, path] = open.back();
    open.pop_back();
    const auto inode = toc->inode(number);
    if (inode.type != file_type::directory) continue;
    struct stat status {};
    const auto size = sizes.of(inode);
    equal = equal && lstat(path.c_str(), &status) == 0 &&
            static_cast<std::uint64_t>(status.st_size) == size &&
            static_cast<std::uint64_t>(status.st_blocks) == blocks_for(size) * 8;
    for (std::uint32_t position = 0; position < toc->entry_count(inode); ++position) {
      const auto entry = toc->entry(inode, position);
      open.emplace_back(entry.inode, path + "/" + std::string(entry.name));
    }
  }
  return equal;
}

}  // namespace

TEST_CASE("the mounted image is the tree of its TOC, to the last attribute") {
  if (!mounting_is_possible()) return;
  CHECK(rc::check([] {
    const temporary_folder folder;
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    auto tree = random_image_tree(seed, *rc::gen::inRange(1U, 300U));
    decorate(tree, seed);
    const auto toc = toc_of(tree);
    const auto image = write_image(toc, folder.path() / "image");
    RC_ASSERT(std::filesystem::file_size(folder.path() / "image") == image.bytes());
    RC_ASSERT(passes_fsck(folder.path() / "image"));
    const auto mounted = mount_erofs(folder.path() / "image", folder.path() / "root");
    const auto expected = observe_tree(as_stored(tree), read_zeros);
    RC_ASSERT(first_differences(expected, observe_folder(mounted->path())) == std::vector<std::string>{});
    RC_ASSERT(shows_its_numbers(image, *toc, mounted->path()));
    RC_ASSERT(shows_sizes(toc, mounted->path()));
  }));
}

TEST_CASE("the same TOC gives the same bytes, another TOC id another volume") {
  const temporary_folder folder;
  auto tree = random_image_tree(7, 6000);
  REQUIRE(tree.inodes.size() >= 5000);  // which two threads write
  decorate(tree, 7);
  write_image(toc_of(tree), folder.path() / "one");
  write_image(toc_of(tree), folder.path() / "two");
  const auto bytes = bytes_of_file(folder.path() / "one");
  CHECK(bytes == bytes_of_file(folder.path() / "two"));
  tree.inodes[0].uid ^= 1U;
  write_image(toc_of(tree), folder.path() / "three");
  constexpr std::size_t uuid_offset = 1024 + 48;
  CHECK(bytes.substr(uuid_offset, 16) != bytes_of_file(folder.path() / "three").substr(uuid_offset, 16));
}

TEST_CASE("an image can be planned before its content ids have arrived, and then written") {
  const auto tree = random_image_tree(3, 100);
  const auto toc = toc_view::open(share(encode_toc({}, tree).value())).value();
  const auto early = planned(toc);
  const temporary_folder folder;
  const file_descriptor file(::open((folder.path() / "early").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  const auto refused = early.write(file.get());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::not_ready);
  REQUIRE(early.write(file.get(), erofs_image::unknown_ids::early));
  CHECK(early_names_in(bytes_of_file(folder.path() / "early")) >= toc->content_count());
  REQUIRE(toc->learn_contents(share(encode_content_ids(tree))));
  REQUIRE(early.write(file.get()));
  CHECK(early_names_in(bytes_of_file(folder.path() / "early")) == 0);
  write_image(toc_of(tree), folder.path() / "late");
  CHECK(bytes_of_file(folder.path() / "early") == bytes_of_file(folder.path() / "late"));
}

TEST_CASE("the files of a real system take less than 400 bytes each, and are all there") {
  const temporary_folder folder;
  const auto tree = tree_of_folder("/usr/share");
  const auto path = folder.path() / "image";
  const auto image = write_image(toc_of(tree), path);
  CHECK(image.bytes() / tree.inodes.size() <= 400);
  if (mounting_is_possible()) {
    const auto mounted = mount_erofs(path, folder.path() / "root");
    CHECK((tree_of_folder(mounted->path()) == as_stored(tree)));
  }
  if (!fsck_is_possible()) return;
  CHECK(passes_fsck(path));
  const auto count = run_program("dump.erofs -s " + path.string() + " | grep -qE 'inode count: +" +
                                 std::to_string(tree.inodes.size()) + "$'");
  CHECK(count == 0);
  CHECK(run_program("dump.erofs -S " + path.string()) == 0);
}

TEST_CASE("fsck.erofs sees one changed bit of the superblock's block") {
  if (!fsck_is_possible()) return;
  const temporary_folder folder;
  const auto path = folder.path() / "image";
  write_image(toc_of(random_image_tree(5, 20)), path);
  REQUIRE(passes_fsck(path));
  auto bytes = bytes_of_file(path);
  bytes[1024 + 24] = static_cast<char>(bytes[1024 + 24] ^ 1);  // the build time
  std::ofstream(path, std::ios::binary) << bytes;
  CHECK_FALSE(passes_fsck(path));
}

}  // namespace firstlight
