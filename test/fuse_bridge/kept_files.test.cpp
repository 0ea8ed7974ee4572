// What was removed while it is open goes on in the next process of the same session of the kernel.
#include <fcntl.h>

#include <fstream>

#include "test/fuse_bridge/session_bench.hpp"
#include "test/harness/killed_child.hpp"

using namespace firstlight;

namespace {

/// A file made on the mount or one of the image, open, with contents of its own.
node_number open_changed(const session_bench& bench, const std::string& name) {
  auto& tree = *bench.tree;
  if (!tree.lookup(root_inode, name)) {
    REQUIRE(tree.make(root_inode, name, S_IFREG | 0644U, 0, {}, writable_tree::opened::yes));
  } else {
    REQUIRE(tree.open_file(bench.number(name.c_str()), O_RDWR, pace::at_once));
  }
  const auto number = bench.number(name.c_str());
  REQUIRE(pwrite((*tree.file_of(number))->get(), "written", 7, 0) == 7);
  return number;
}

enum class removal { unlink, rename };

os_result<void> remove_name(writable_tree& tree, const std::string& name, removal how) {
  return how == removal::unlink ? tree.unlink(root_inode, name)
                                : tree.rename({root_inode, "link"}, {root_inode, name}, 0);
}

void set_size(writable_tree& tree, node_number number, std::uint64_t bytes) {
  attribute_changes changes;
  changes.size = bytes;
  REQUIRE(tree.set_attributes(number, changes, pace::at_once));
}

}  // namespace

TEST_CASE("what was removed while it is open keeps contents and attributes over any number of processes") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const std::string name = GENERATE(as<std::string>(), "new", "one");
  const auto how = GENERATE(removal::unlink, removal::rename);
  const auto end = GENERATE(ending::stop, ending::death);
  const bool removed_by_the_first = GENERATE(true, false);
  CAPTURE(name, how == removal::unlink, end == ending::stop, removed_by_the_first);
  const auto number = open_changed(bench, name);
  REQUIRE(bench.change_mode(number, 0600));
  if (!removed_by_the_first) bench.take_over(end);
  REQUIRE(bench.number(name.c_str()) == number);
  REQUIRE(remove_name(*bench.tree, name, how));
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  REQUIRE(pwrite((*bench.tree->file_of(number))->get(), ", more", 6, 7) == 6);

  bench.take_over(end);
  CHECK(read_own(*bench.tree, number) == "written, more");
  const auto st = *bench.tree->attributes(number);
  CHECK(st.st_mode == (S_IFREG | 0600U));
  CHECK(st.st_nlink == 0);
  CHECK(st.st_size == 13);
  CHECK(st.st_ino == number);
  REQUIRE(pwrite((*bench.tree->file_of(number))->get(), "W", 1, 0) == 1);
  set_size(*bench.tree, number, 9);
  CHECK(bench.change_mode(number, 0640));
  CHECK(bench.change_owner(number, 1000));

  bench.take_over(end);
  CHECK(read_own(*bench.tree, number) == "Written, ");
  CHECK(bench.tree->attributes(number)->st_mode == (S_IFREG | 0640U));
  CHECK(bench.tree->attributes(number)->st_uid == 1000);
  bench.tree->release(number);  // by one of several that had opened it
  CHECK(read_own(*bench.tree, number) == "Written, ");
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  CHECK(bench.kept() == 1);
  bench.forget(number);
  CHECK(bench.kept() == 0);
  bench.take_over(end);
  const bool of_image = number <= bench.tree->toc().inode_count();
  CHECK(bench.tree->attributes(number).has_value() == of_image);
}

TEST_CASE(
    "a file of the image that is opened for writing after its removal is the changed one from then on") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const bool promoted = GENERATE(false, true);
  const auto number = bench.number("one");
  REQUIRE(bench.tree->open_file(number, O_RDONLY, pace::at_once));
  if (promoted) REQUIRE(bench.change_mode(number, 0600));
  REQUIRE(bench.tree->unlink(root_inode, "one"));
  CHECK(bench.change_mode(number, 0640));
  bench.take_over();
  CHECK(read_own(*bench.tree, number) == "the image's");
  CHECK(bench.tree->image_of(number) == number);
  CHECK(bench.tree->attributes(number)->st_mode == (S_IFREG | 0640U));
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  REQUIRE(bench.tree->open_file(number, O_RDWR, pace::at_once));
  CHECK(read_own(*bench.tree, number) == "1");
  REQUIRE(pwrite((*bench.tree->file_of(number))->get(), "2", 1, 1) == 1);
  bench.take_over();
  CHECK(read_own(*bench.tree, number) == "12");
  CHECK(bench.tree->attributes(number)->st_mode == (S_IFREG | 0640U));
}

TEST_CASE("a file that is opened after its last name has gone shows the image's contents, or is not opened") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto of_image = bench.number("one");
  REQUIRE(bench.change_mode(of_image, 0600));
  REQUIRE(bench.tree->unlink(root_inode, "one"));
  CHECK(bench.tree->open_file(of_image, O_RDONLY, pace::at_once));
  CHECK(read_own(*bench.tree, of_image) == "the image's");
  const auto made = bench.tree->make(root_inode, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::no);
  REQUIRE(made);
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  const auto refused = bench.tree->open_file(made->number, O_RDONLY, pace::at_once);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().error_number == ESTALE);
  bench.forget(made->number);
  CHECK_FALSE(bench.tree->attributes(made->number));
}

TEST_CASE("a file without a name can get one from the next process") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto made = bench.tree->make_unnamed(bench.number("folder"), 0600, {});
  REQUIRE(made);
  CHECK(made->attributes.st_nlink == 0);
  REQUIRE(pwrite((*bench.tree->file_of(made->number))->get(), "written", 7, 0) == 7);
  bench.take_over();
  CHECK(read_own(*bench.tree, made->number) == "written");
  CHECK(bench.tree->attributes(made->number)->st_nlink == 0);
  const auto named = bench.tree->link(made->number, root_inode, "named");
  REQUIRE(named);
  CHECK(named->number == made->number);
  CHECK(named->attributes.st_nlink == 1);
  CHECK(bench.kept() == 0);
  bench.take_over();
  CHECK(bench.number("named") == made->number);
  CHECK(bench.tree->attributes(made->number)->st_nlink == 1);
  CHECK(read_own(*bench.tree, made->number) == "written");
}

TEST_CASE("a pipe that was removed can be changed in the next process, until the kernel forgets it") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = bench.number("pipe");
  REQUIRE(bench.change_owner(number, 1000));
  REQUIRE(bench.tree->unlink(root_inode, "pipe"));
  bench.take_over();
  CHECK(bench.tree->attributes(number)->st_uid == 1000);
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  CHECK(bench.change_mode(number, 0640));
  CHECK(bench.kept() == 1);
  bench.forget(number);
  CHECK(bench.kept() == 0);
}

TEST_CASE("what the kernel has again when it forgets it stays, and gives nobody else its number") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = bench.number("pipe");
  REQUIRE(bench.change_owner(number, 1000));
  REQUIRE(bench.tree->unlink(root_inode, "pipe"));
  for (int process = 0; process < 2; ++process) {
    bench.tree->forget(number, [] { return true; });
    CHECK(bench.kept() == 1);
    CHECK(bench.tree->attributes(number)->st_uid == 1000);
    CHECK(bench.change_mode(number, process == 0 ? 0600 : 0640));
    bench.take_over();
  }
  // Of what has a name, or is open, the kernel is not asked.
  const auto not_asked = [] {
    FAIL("the kernel is asked");
    return true;
  };
  bench.tree->forget(bench.number("one"), not_asked);
  const auto open = bench.tree->make_unnamed(root_inode, 0600, {});
  REQUIRE(open);
  bench.tree->forget(open->number, not_asked);
  bench.forget(number);
  CHECK(bench.kept() == 1);
  CHECK(bench.tree->attributes(open->number));
}

TEST_CASE("what is kept without a name ends with the session") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const bool crashed = GENERATE(false, true);
  REQUIRE(bench.tree->unlink(root_inode, "pipe"));
  open_changed(bench, "new");
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  if (crashed) bench.take_over(ending::death);
  CHECK(bench.kept() == 1);
  bench.tree.reset();
  CHECK_FALSE(std::filesystem::exists(bench.folder.path() / "work" / "firstlight-kept"));
}

TEST_CASE("a new session removes what a process has kept that died in an earlier one") {
  if (!marks_are_possible()) return;
  session_bench bench;
  open_changed(bench, "new");
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  bench.dead.push_back(std::move(bench.tree));
  CHECK(bench.kept() == 1);
  bench.start();
  CHECK(bench.kept() == 0);
}

TEST_CASE("what an earlier file of the same number has left is not taken for the one that is kept") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = open_changed(bench, "new");
  std::ofstream(bench.folder.path() / "work" / "firstlight-kept" / std::to_string(number)) << "another";
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  bench.take_over(ending::stop);
  CHECK(read_own(*bench.tree, number) == "written");
}

TEST_CASE("what cannot be kept on the disk is kept as long as the process lives") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = open_changed(bench, "new");
  REQUIRE(std::filesystem::remove(bench.folder.path() / "work" / "firstlight-kept"));
  REQUIRE(bench.tree->unlink(root_inode, "new"));
  CHECK(read_own(*bench.tree, number) == "written");
  CHECK(bench.tree->attributes(number)->st_nlink == 0);
  bench.tree->release(number);
  CHECK(read_own(*bench.tree, number) == "refused");
}

TEST_CASE("a removal that is killed after any of its system calls leaves the file named or kept, and whole") {
  if (!marks_are_possible()) return;
  const std::string name = GENERATE(as<std::string>(), "new", "one");
  const auto how = GENERATE(removal::unlink, removal::rename);
  int calls = 1;
  for (bool killed = true; killed; ++calls) {
    session_bench bench;
    const auto number = open_changed(bench, name);
    killed = test::killed_after(
        calls, [&] { return bench.tree; },
        [&](const std::shared_ptr<writable_tree>& tree) {
          return remove_name(*tree, name, how).has_value();
        });
    CAPTURE(name, how == removal::unlink, calls);
    bench.take_over(ending::death);
    const auto found = bench.tree->lookup(root_inode, name);
    const bool named = found && found->number == number;
    REQUIRE(bench.tree->attributes(number)->st_nlink == (named ? 1 : 0));
    REQUIRE(bench.kept() == (named ? 0 : 1));
    REQUIRE(read_own(*bench.tree, number) == "written");
    if (named) REQUIRE(remove_name(*bench.tree, name, how));  // the kernel repeats it
    REQUIRE(bench.tree->attributes(number)->st_nlink == 0);
    REQUIRE(read_own(*bench.tree, number) == "written");
    bench.forget(number);
    REQUIRE(bench.kept() == 0);
  }
  CHECK(calls > 4);
}

TEST_CASE("a removed link or pipe of the image keeps the owner that it got after that in the next process") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const bool pipe = GENERATE(true, false);
  const auto end = GENERATE(ending::stop, ending::death);
  CAPTURE(pipe, end == ending::stop);
  const auto number = bench.number(pipe ? "pipe" : "link");
  REQUIRE(bench.tree->unlink(root_inode, pipe ? "pipe" : "link"));
  if (!pipe) REQUIRE(bench.tree->unlink(root_inode, "other link"));
  REQUIRE(bench.change_owner(number, 1000));
  CHECK(bench.kept() == 1);
  bench.take_over(end);
  const auto st = *bench.tree->attributes(number);
  CHECK((pipe ? S_ISFIFO(st.st_mode) : S_ISLNK(st.st_mode)));
  CHECK(st.st_uid == 1000);
  CHECK(st.st_nlink == 0);
  if (!pipe) CHECK(bench.tree->read_link(number) == "one");
  bench.forget(number);
  CHECK(bench.kept() == 0);
}
