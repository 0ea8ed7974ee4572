#include "storage/mark_incomplete.hpp"

#include <catch2/catch.hpp>

#include "storage/content_name.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

const std::string amd64 = "linux/amd64";

/// A complete image of one file.
void add(image_catalogue& catalogue, const std::string& name, const content_info& content) {
  image_tree tree;
  tree.inodes.resize(2);
  tree.inodes[0].type = file_type::directory;
  tree.inodes[0].links = 2;
  tree.inodes[1].size = content.size;
  tree.inodes[1].content = 0;
  tree.directories.push_back({0, 0, {{"file", 1}}});
  tree.contents.push_back(content);
  const auto toc = make_toc({}, tree).value();
  REQUIRE(catalogue.store_toc(toc));
  REQUIRE(catalogue.put({.reference = name, .platform = amd64, .toc = toc.id, .complete = true}));
}

std::unique_ptr<image_catalogue> open_catalogue(const temporary_folder& folder, const opened_store& store) {
  return image_catalogue::open(folder.path(), *store.metadata).value();
}

}  // namespace

TEST_CASE("an image of which a file was lost counts as incomplete, and no other does") {
  temporary_folder folder;
  const auto kept = some_bytes(10'000, 1);
  const auto lost = some_bytes(20'000, 2);
  {
    opened_store store(folder.path());
    const auto catalogue = open_catalogue(folder, store);
    add(*catalogue, "whole", store.put(kept));
    add(*catalogue, "lacking", store.put(lost));
    REQUIRE(store.contents->checkpoint());
    CHECK(store.contents->lost_at_opening() == 0);
    CHECK(mark_incomplete(*catalogue, *store.contents).value().empty());
  }
  const content_name name(info_of(lost).id);
  REQUIRE(std::filesystem::remove(folder.path() / "contents" / "contents" / name.view()));
  opened_store store(folder.path());
  const auto catalogue = open_catalogue(folder, store);
  CHECK(store.contents->lost_at_opening() == 1);
  CHECK(mark_incomplete(*catalogue, *store.contents).value() == std::vector<std::string>{"lacking"});
  CHECK_FALSE(catalogue->find("lacking", amd64).value()->complete);
  CHECK(catalogue->find("whole", amd64).value()->complete);
}

}  // namespace firstlight
