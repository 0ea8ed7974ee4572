// What a process leaves that dies in the middle of a promotion.
#include <sys/xattr.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <array>
#include <set>

#include "test/fuse_bridge/whole_contents.hpp"
#include "test/harness/killed_child.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t file_bytes = 9'000;
const std::array names{"z", "a", "d/m"};  // the first is the first in the image, not by name
const std::string capability(
    "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);

image_builder::built capable_image() {
  image_builder image;
  auto& file = image.file(names[0], patterned_bytes(file_bytes, 3), 0755);
  file.uid = 12;
  file.modified = {1'234'567'890, 987'654'321};
  file.xattrs = {{"security.capability", capability}};
  image.directory("d");
  image.hard_link(names[1], names[0]);
  image.hard_link(names[2], names[0]);
  return image.build();
}

struct crash_site {
  explicit crash_site(std::uint64_t copied_at_once) : at_once(copied_at_once) {}

  [[nodiscard]] std::shared_ptr<writable_tree> open() const {
    return *writable_tree::open(image.toc, 7, store, {folder.path() / "upper", folder.path() / "work"},
                                at_once);
  }

  /// @returns whether the promotion was killed; else it was done before
  [[nodiscard]] bool promote_and_die(int calls) const {
    return test::killed_after(
        calls, [&] { return open(); },
        [](const std::shared_ptr<writable_tree>& tree) {
          const auto found = tree->lookup(root_inode, names[1]);
          return found && open_patiently(*tree, found->number, O_RDWR);
        });
  }

  temporary_folder folder;
  image_builder::built image = capable_image();
  whole_contents store{folder.path() / "store", image};
  std::uint64_t at_once;
};

std::string read_whole(writable_tree& tree, const crash_site& site, node_number number) {
  std::string bytes(file_bytes + 1, '\0');
  const auto own = tree.file_of(number);
  REQUIRE(own);
  if (*own == nullptr) return site.image.bytes[site.image.toc->inode(tree.image_of(number)).content];
  const auto got = pread((*own)->get(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

}  // namespace

TEST_CASE("a promotion that is killed after any of its system calls leaves the file as it was") {
  if (geteuid() != 0) {
    test::note_skipped("the marks of a layer need root");
    return;
  }
  const std::uint64_t at_once = GENERATE(0U, 1U << 20U);
  int calls = 1;
  for (bool killed = true; killed; ++calls) {
    const crash_site site(at_once);
    killed = site.promote_and_die(calls);
    CAPTURE(at_once, calls);
    const auto tree = site.open();
    const auto folder_number = tree->lookup(root_inode, "d")->number;
    const auto first = tree->lookup(root_inode, names[0])->number;
    REQUIRE(tree->lookup(root_inode, names[1])->number == first);
    REQUIRE(tree->lookup(folder_number, "m")->number == first);
    const auto st = *tree->attributes(first);
    REQUIRE(st.st_nlink == names.size());
    REQUIRE(st.st_size == file_bytes);
    REQUIRE(st.st_mode == (S_IFREG | 0755U));
    REQUIRE(st.st_uid == 12);
    REQUIRE(st.st_mtim.tv_sec == 1'234'567'890);
    REQUIRE(st.st_mtim.tv_nsec == 987'654'321);
    REQUIRE(tree->get_xattr(first, "security.capability") == capability);
    REQUIRE(read_whole(*tree, site, first) == patterned_bytes(file_bytes, 3));
    std::set<ino_t> inodes;
    for (const auto* name : names) {
      struct stat on_disk {};
      if (lstat((site.folder.path() / "upper" / name).c_str(), &on_disk) == 0) inodes.insert(on_disk.st_ino);
    }
    REQUIRE(inodes.size() <= 1);
  }
  CHECK(calls > 30);  // of them at least that many are in the promotion itself
}
