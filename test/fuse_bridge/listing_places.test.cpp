// Where the names of a folder stand for those who list it in parts, while it changes and in the next process.
#include <stdio.h>

#include <algorithm>
#include <map>
#include <set>

#include "fuse_bridge/writable/folder_entries.hpp"
#include "fuse_bridge/writable/open_folders.hpp"
#include "test/fuse_bridge/list_folder.hpp"
#include "test/fuse_bridge/session_bench.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t made_names = 300;

void make_file(writable_tree& tree, node_number folder, const std::string& name) {
  REQUIRE(tree.make(folder, name, S_IFREG | 0644U, 0, {}, writable_tree::opened::no));
}

listing_place place_of(writable_tree& tree, node_number folder, const std::string& name) {
  const auto all = list_folder(tree, folder);
  const auto found =
      std::find_if(all->begin(), all->end(), [&](const listed_name& one) { return one.name == name; });
  REQUIRE(found != all->end());
  return found->place;
}

std::string made_name(std::size_t i) {
  return "made " + std::to_string(i);
}

/// Every third file loses its name, and so does the last one that was read; under every third there is
/// another file. @returns the names that are gone
std::set<std::string> change(writable_tree& tree, const std::vector<listed_name>& all, std::size_t read) {
  std::set<std::string> removed;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& name = all[i].name;
    if (name.starts_with(".") || !S_ISREG(tree.attributes(all[i].number)->st_mode)) continue;
    if (i % 3 == 0 || i + 1 == read) {
      REQUIRE(tree.unlink(root_inode, name));
      removed.insert(name);
    } else if (i % 3 == 1) {
      make_file(tree, root_inode, "other");
      REQUIRE(tree.rename({root_inode, "other"}, {root_inode, name}, 0));
    }
  }
  for (std::size_t i = 0; i < 50; ++i) make_file(tree, root_inode, "added " + std::to_string(i));
  return removed;
}

}  // namespace

TEST_CASE("who lists a folder in parts meets each name that stays once, in the next process too") {
  if (!marks_are_possible()) return;
  session_bench bench;
  for (std::size_t i = 0; i < made_names; ++i) make_file(*bench.tree, root_inode, made_name(i));
  const auto all = *list_folder(*bench.tree, root_inode);
  REQUIRE(all.size() == made_names + 8);  // with the image's six, "." and ".."
  const auto read = GENERATE(as<std::size_t>{}, 1, 2, 5, 8, 100, 307, 308);
  const std::string process = GENERATE(as<std::string>(), "the same", "after a stop", "after a death");
  CAPTURE(read, process);
  const auto first = *list_folder(*bench.tree, root_inode, place_of_self, read);
  REQUIRE(first.size() == read);
  const auto removed = change(*bench.tree, all, read);
  if (process != "the same") bench.take_over(process == "after a stop" ? ending::stop : ending::death);
  const auto rest = *list_folder(*bench.tree, root_inode, first.back().place + 1);
  std::map<std::string, std::size_t> met;
  for (const auto& one : first) ++met[one.name];
  for (const auto& one : rest) {
    ++met[one.name];
    CHECK_FALSE(removed.contains(one.name));
    if (!one.name.starts_with(".")) CHECK(bench.number(one.name.c_str()) == one.number);
  }
  for (const auto& one : all)
    if (!removed.contains(one.name)) CHECK(met[one.name] == 1);
  for (const auto& [name, times] : met) CHECK(times == 1);
}

TEST_CASE("a place belongs to the name, whatever has it") {
  if (!marks_are_possible()) return;
  session_bench bench;
  auto& tree = *bench.tree;
  make_file(tree, root_inode, "made");
  for (const auto* name : {"one", "made"}) {
    CAPTURE(name);
    const auto place = place_of(tree, root_inode, name);
    make_file(tree, root_inode, "other");
    REQUIRE(tree.rename({root_inode, "other"}, {root_inode, name}, 0));
    CHECK(place_of(tree, root_inode, name) == place);
    REQUIRE(tree.unlink(root_inode, name));
    make_file(tree, root_inode, name);
    CHECK(place_of(tree, root_inode, name) == place);
    make_file(tree, root_inode, "other");
    const auto of_other = place_of(tree, root_inode, "other");
    REQUIRE(tree.rename({root_inode, "other"}, {root_inode, name}, RENAME_EXCHANGE));
    CHECK(place_of(tree, root_inode, name) == place);
    CHECK(place_of(tree, root_inode, "other") == of_other);
    REQUIRE(tree.unlink(root_inode, "other"));
  }
}

TEST_CASE("places of a folder of the image move along when it is renamed") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto folder = bench.number("folder");
  make_file(*bench.tree, folder, "made");
  const auto of_image = place_of(*bench.tree, folder, "in");
  const auto made = place_of(*bench.tree, folder, "made");
  CHECK(of_image == first_image_place);
  CHECK(made > of_image);
  CHECK(made < 1U << 31U);
  REQUIRE(bench.tree->rename({root_inode, "folder"}, {bench.number("deep"), "moved"}, 0));
  bench.take_over();
  CHECK(place_of(*bench.tree, folder, "in") == of_image);
  CHECK(place_of(*bench.tree, folder, "made") == made);
}

TEST_CASE("names whose places meet stand one behind the other") {
  // Their hashes are the same.
  const std::string one = "name 8598";
  const std::string other = "name 86900";
  folder_entries entries;
  entries.put(one, 10, 0);
  entries.put(other, 11, 0);
  const auto first = entries.next(0);
  REQUIRE(first);
  CHECK(first->name == one);
  const auto second = entries.next(first->place + 1);
  REQUIRE(second);
  CHECK(second->name == other);
  CHECK(second->place == first->place + 1);
  CHECK_FALSE(entries.next(second->place + 1));
  entries.erase(one);
  entries.put(other, 12, 0);
  REQUIRE(entries.next(0));
  CHECK(entries.next(0)->place == second->place);
  CHECK(entries.next(0)->number == 12);
  entries.put(one, folder_entries::whiteout, 0);
  CHECK(entries.find(one) == folder_entries::whiteout);
  CHECK(entries.next(0)->name == other);
  entries.put(one, 13, 0);
  CHECK(entries.next(0)->name == one);
  CHECK(entries.next(0)->place == second->place - 1);
}

TEST_CASE("one reader of a folder at a time uses what the kernel keeps") {
  open_folders folders;
  CHECK(folders.open(7));
  CHECK(folders.open(8));
  CHECK_FALSE(folders.open(7));
  folders.close(7);
  CHECK_FALSE(folders.open(7));
  folders.close(7);
  folders.close(7);
  CHECK(folders.open(7));
  folders.close(9);  // from before a takeover
}
