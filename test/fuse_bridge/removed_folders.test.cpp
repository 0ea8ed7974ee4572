// Folders of the image that were removed while somebody is in them, in the next process of the session.
#include "test/fuse_bridge/list_folder.hpp"
#include "test/fuse_bridge/session_bench.hpp"

using namespace firstlight;

namespace {

void check_removed(writable_tree& tree, node_number folder, const std::string& name_in_image) {
  CAPTURE(folder);
  const auto listed = list_folder(tree, folder);
  REQUIRE(listed);
  CHECK(listed->empty());
  for (const auto& name : {name_in_image, std::string("other")})
    CHECK(tree.lookup(folder, name).error() == ENOENT);
  for (const auto& name : {name_in_image, std::string("new")}) {
    CHECK(tree.make(folder, name, S_IFREG | 0644U, 0, {}, writable_tree::opened::no).error() == ENOENT);
    CHECK(tree.make_symlink(folder, name, "target", {}).error() == ENOENT);
  }
  CHECK(tree.make_unnamed(folder, 0600, {}).error() == ENOENT);
  CHECK(tree.unlink(folder, name_in_image).error() == ENOENT);
  CHECK(tree.rename({folder, name_in_image}, {root_inode, "moved"}, 0).error() == ENOENT);
  CHECK(tree.attributes(folder)->st_nlink == 0);
}

}  // namespace

TEST_CASE("a removed folder of the image shows nothing of it in the next process") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const std::string how = GENERATE(as<std::string>(), "in its place", "moved", "covered", "made anew");
  const auto end = GENERATE(ending::stop, ending::death);
  CAPTURE(how, end == ending::stop);
  const auto folder = bench.number("folder");
  auto& tree = *bench.tree;
  const auto make_folder = [&](const char* name) {
    REQUIRE(tree.make(root_inode, name, S_IFDIR | 0755U, 0, {}, writable_tree::opened::no));
  };
  REQUIRE(tree.unlink(folder, "in"));
  make_folder("other");
  const std::string name = how == "moved" ? "elsewhere" : "folder";
  if (how == "moved") REQUIRE(tree.rename({root_inode, "folder"}, {root_inode, name}, 0));
  REQUIRE((how == "covered" ? tree.rename({root_inode, "other"}, {root_inode, name}, 0)
                            : tree.remove_folder(root_inode, name)));
  if (how == "made anew") make_folder("folder");
  for (int process = 0; process < 2; ++process) {
    bench.take_over(end);
    check_removed(*bench.tree, folder, "in");
    CHECK(bench.tree->lookup(root_inode, "folder").has_value() == (how == "covered" || how == "made anew"));
  }
}

TEST_CASE("all folders below a removed one are removed") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto deep = bench.number("deep");
  const auto inner = bench.tree->lookup(deep, "er")->number;
  REQUIRE(bench.tree->unlink(inner, "file"));
  REQUIRE(bench.tree->remove_folder(deep, "er"));
  REQUIRE(bench.tree->remove_folder(root_inode, "deep"));
  bench.take_over();
  check_removed(*bench.tree, inner, "file");
  check_removed(*bench.tree, deep, "er");
}

TEST_CASE("folders that live on elsewhere are as they were in the next process") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto deep = bench.number("deep");
  const auto inner = bench.tree->lookup(deep, "er")->number;
  REQUIRE(bench.tree->rename({deep, "er"}, {root_inode, "moved"}, 0));
  REQUIRE(bench.tree->remove_folder(root_inode, "deep"));
  REQUIRE(bench.tree->rename({root_inode, "folder"}, {inner, "folder"}, 0));
  bench.take_over();
  check_removed(*bench.tree, deep, "er");
  CHECK(bench.number("moved") == inner);
  CHECK(bench.tree->lookup(inner, "file"));
  const auto folder = bench.tree->lookup(inner, "folder");
  REQUIRE(folder);
  CHECK(bench.tree->lookup(folder->number, "in"));
  CHECK(list_folder(*bench.tree, inner)->size() == 4);  // . and .., too
  CHECK(bench.tree->make(folder->number, "new", S_IFREG | 0644U, 0, {}, writable_tree::opened::no));
}
