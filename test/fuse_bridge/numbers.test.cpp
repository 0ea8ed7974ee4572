// A file has the same number for the kernel whichever process answers, and no other file ever gets it.
#include <fcntl.h>
#include <sys/xattr.h>

#include <fstream>
#include <set>

#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/list_folder.hpp"
#include "test/fuse_bridge/session_bench.hpp"
#include "test/harness/killed_child.hpp"

using namespace firstlight;

namespace {

constexpr const char* number_mark = "trusted.overlay.firstlight.inode";
constexpr node_number not_of_disk = 1ULL << 31U;  // no disk of a test has so many inodes

shown_file make(writable_tree& tree, const std::string& name, mode_t type) {
  const auto made = tree.make(root_inode, name, type | 0700U, 0, {}, writable_tree::opened::no);
  REQUIRE(made);
  return *made;
}

os_result<void> remove(writable_tree& tree, const std::string& name, mode_t type) {
  return S_ISDIR(type) ? tree.remove_folder(root_inode, name) : tree.unlink(root_inode, name);
}

/// Makes a file on the inode of the disk of one that was removed and that the kernel has not forgotten.
/// Nothing if this disk gives no inode twice.
std::optional<node_number> make_on_used_inode(const session_bench& bench, const std::string& name,
                                              mode_t type) {
  for (int attempt = 0; attempt < 50; ++attempt) {
    make(*bench.tree, "before", S_IFREG);
    REQUIRE(bench.tree->unlink(root_inode, "before"));
    const auto number = make(*bench.tree, name, type).number;
    if (number >= not_of_disk) return number;
    REQUIRE(remove(*bench.tree, name, type));
  }
  test::note_skipped("this disk gives no inode twice");
  return std::nullopt;
}

void say_number(const session_bench& bench, const char* name, const std::string& text) {
  const auto file = bench.folder.path() / "upper" / name;
  REQUIRE(lsetxattr(file.c_str(), number_mark, text.data(), text.size(), 0) == 0);
}

void check_removed_folder(const session_bench& bench, node_number folder) {
  auto& tree = *bench.tree;
  const auto shown = list_folder(tree, folder);
  REQUIRE(shown);
  for (const auto& entry : *shown) CHECK((entry.name == "." || entry.name == ".."));
  CHECK(tree.make(folder, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::no).error() == ENOENT);
  const auto st = tree.attributes(folder);
  REQUIRE(st);
  CHECK(st->st_mode == (S_IFDIR | 0750U));
  CHECK(st->st_uid == 1000);
  CHECK(st->st_nlink == 0);
}

}  // namespace

TEST_CASE("what was made on the inode of a file that the kernel still knows keeps its number") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto type = GENERATE(as<mode_t>(), S_IFREG, S_IFDIR, S_IFIFO);
  const auto end = GENERATE(ending::stop, ending::death);
  CAPTURE(type, end == ending::stop);
  const auto number = make_on_used_inode(bench, "new", type);
  if (!number) return;
  for (int process = 0; process < 2; ++process) {
    bench.take_over(end);
    CHECK(bench.number("new") == *number);
    CHECK(bench.tree->attributes(*number)->st_ino == *number);
  }
  bench.start();
  CHECK(bench.number("new") == *number);
}

TEST_CASE("where the number of a disk's inode is taken, others of 32 bits are given, and none twice") {
  layer_tree tree(small_image().toc);
  std::set<node_number> given;
  for (int i = 0; i < 1000; ++i) {
    layer_node node;
    node.number = tree.free_number(5);
    REQUIRE(given.insert(node.number).second);
    tree.add(std::move(node));
  }
  CHECK(*given.begin() == tree.disk_number(5));
  // Programs of 32 bits get EOVERFLOW for more.
  CHECK(*given.rbegin() <= UINT32_MAX);
  CHECK(tree.free_number(6) == tree.disk_number(6));
}

TEST_CASE("a file without a name keeps its number once it has got one") {
  if (!marks_are_possible()) return;
  session_bench bench;
  node_number number = 0;
  for (int attempt = 0; attempt < 50 && number < not_of_disk; ++attempt) {
    make(*bench.tree, "before", S_IFREG);
    REQUIRE(bench.tree->unlink(root_inode, "before"));
    number = bench.tree->make_unnamed(root_inode, 0600, {})->number;
  }
  if (number < not_of_disk) return test::note_skipped("this disk gives no inode twice");
  REQUIRE(bench.tree->link(number, root_inode, "named"));
  bench.take_over();
  CHECK(bench.number("named") == number);
}

TEST_CASE("the number that a file of the layer says is its own, unless it is of another image or not free") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto ordinary = make(*bench.tree, "a", S_IFREG).number;
  make(*bench.tree, "b", S_IFREG);
  say_number(bench, "a", "7:" + std::to_string(not_of_disk + 5));
  say_number(bench, "b", "7:" + std::to_string(not_of_disk + 5));
  bench.start();
  CHECK(bench.number("a") == not_of_disk + 5);
  const auto other = bench.number("b");
  CHECK(other != not_of_disk + 5);
  // Now it is met first.
  REQUIRE(bench.tree->rename({root_inode, "b"}, {root_inode, "B"}, 0));
  bench.take_over();
  CHECK(bench.number("a") == not_of_disk + 5);
  CHECK(bench.number("B") == other);
  const std::string text =
      GENERATE(as<std::string>(), "8:281474976710661", "7:", "7:0", "7:5x", "7:99999999999999999999");
  CAPTURE(text);
  say_number(bench, "a", text);
  bench.start();
  CHECK(bench.number("a") == ordinary);
}

TEST_CASE("a file that overlayfs has promoted keeps its number when its contents are promoted") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = bench.number("one");
  REQUIRE(bench.change_mode(number, 0600));
  const auto file = bench.folder.path() / "upper" / "one";
  REQUIRE(lremovexattr(file.c_str(), number_mark) == 0);  // overlayfs sets none
  bench.start();
  REQUIRE(bench.number("one") == number);
  const bool without_name = GENERATE(false, true);
  CAPTURE(without_name);
  REQUIRE(bench.tree->open_file(number, O_RDONLY, pace::at_once));
  if (without_name) REQUIRE(bench.tree->unlink(root_inode, "one"));
  REQUIRE(bench.tree->open_file(number, O_RDWR, pace::at_once));
  if (without_name) REQUIRE(bench.tree->link(number, root_inode, "one"));
  bench.take_over();
  CHECK(bench.number("one") == number);
  CHECK(read_own(*bench.tree, number) == "1");
}

TEST_CASE("a large file of several names that overlayfs has promoted keeps its number") {
  if (!marks_are_possible()) return;
  const changing_mount mount;
  const auto open = [&](session_life life) {
    return *writable_tree::open(mount.image.toc, 7, mount.store,
                                {mount.folder.path() / "upper", mount.folder.path() / "work"},
                                /*copied_at_once_max=*/0, life);
  };
  auto tree = open(session_life::fresh);
  attribute_changes changes;
  changes.mode = 0600;
  REQUIRE(tree->set_attributes(tree->lookup(root_inode, "one")->number, changes, pace::at_once));
  tree.reset();
  const auto file = mount.folder.path() / "upper" / "one";
  REQUIRE(lremovexattr(file.c_str(), number_mark) == 0);
  tree = open(session_life::fresh);
  const auto number = tree->lookup(root_inode, "one")->number;
  REQUIRE_FALSE(number <= mount.image.toc->inode_count());
  REQUIRE(open_patiently(*tree, number, O_RDWR));
  tree->leave();
  tree.reset();
  tree = open(session_life::taken_over);
  for (const auto* name : {"one", "two"}) CHECK(tree->lookup(root_inode, name)->number == number);
  CHECK(read_own(*tree, number) == "1");
}

TEST_CASE(
    "a removed folder that was made on the mount goes on for who is in it, and nothing gets its number") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const bool covered = GENERATE(false, true);
  const std::string name = GENERATE(as<std::string>(), "new", "folder");  // the image has one of the second
  const auto end = GENERATE(ending::stop, ending::death);
  CAPTURE(covered, name, end == ending::stop);
  REQUIRE(bench.tree->unlink(bench.number("folder"), "in"));
  REQUIRE(bench.tree->remove_folder(root_inode, "folder"));
  const auto folder = make(*bench.tree, name, S_IFDIR).number;
  REQUIRE(bench.change_mode(folder, 0750));
  REQUIRE(bench.change_owner(folder, 1000));
  if (covered) make(*bench.tree, "other", S_IFDIR);
  REQUIRE((covered ? bench.tree->rename({root_inode, "other"}, {root_inode, name}, 0)
                   : bench.tree->remove_folder(root_inode, name)));
  check_removed_folder(bench, folder);
  for (int process = 0; process < 2; ++process) {
    bench.take_over(end);
    check_removed_folder(bench, folder);
    for (int i = 0; i < 20; ++i) {
      const auto next = std::to_string(process) + "-" + std::to_string(i);
      CHECK(make(*bench.tree, next, i % 2 == 0 ? S_IFDIR : S_IFREG).number != folder);
    }
    CHECK(bench.kept() == 1);
  }
  bench.forget(folder);
  CHECK(bench.kept() == 0);
  CHECK(bench.tree->attributes(folder).error() == ESTALE);
}

TEST_CASE("a folder whose removal fails is not kept") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto folder = make(*bench.tree, "new", S_IFDIR).number;
  std::ofstream(bench.folder.path() / "upper" / "new" / "in the way") << "nobody knows of it";
  make(*bench.tree, "other", S_IFDIR);
  CHECK_FALSE(bench.tree->rename({root_inode, "other"}, {root_inode, "new"}, 0));
  CHECK(bench.kept() == 0);
  CHECK(bench.number("new") == folder);
  CHECK(bench.tree->attributes(folder)->st_nlink == 2);
}

TEST_CASE("a folder's removal that is killed after any of its system calls leaves it named or kept") {
  if (!marks_are_possible()) return;
  int calls = 1;
  for (bool killed = true; killed; ++calls) {
    session_bench bench;
    const auto folder = make(*bench.tree, "new", S_IFDIR).number;
    REQUIRE(bench.change_mode(folder, 0750));
    REQUIRE(bench.change_owner(folder, 1000));
    killed = test::killed_after(
        calls, [&] { return bench.tree; },
        [](const std::shared_ptr<writable_tree>& tree) {
          return tree->remove_folder(root_inode, "new").has_value();
        });
    CAPTURE(calls);
    bench.take_over(ending::death);
    const auto found = bench.tree->lookup(root_inode, "new");
    REQUIRE(bench.kept() == (found ? 0 : 1));
    if (found) {
      REQUIRE(found->number == folder);
      REQUIRE(bench.tree->remove_folder(root_inode, "new"));  // the kernel repeats it
    }
    check_removed_folder(bench, folder);
    bench.forget(folder);
    REQUIRE(bench.kept() == 0);
  }
  CHECK(calls > 4);
}
