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

/// A node's stores from its start on.
struct started_node {
  std::unique_ptr<database> metadata;
  std::optional<loss_check> losses;
  std::unique_ptr<content_store> contents;
  std::unique_ptr<image_catalogue> catalogue;

  explicit started_node(const std::filesystem::path& folder)
      : metadata(database::open(folder / "db").value()),
        losses(loss_check::begin(*metadata).value()),
        contents(content_store::open(folder / "contents", *metadata, {}, 64).value()),
        catalogue(image_catalogue::open(folder, *metadata).value()) {}

  std::vector<std::string> finish_check() { return losses->finish(*catalogue, *contents).value(); }
  [[nodiscard]] bool complete(const std::string& name) const {
    return catalogue->find(name, amd64).value()->complete;
  }
};

/// A store with a complete image "app", whose one file is gone from the disk.
void leave_lacking_image(const std::filesystem::path& folder) {
  const auto bytes = some_bytes(20'000, 2);
  {
    opened_store store(folder);
    add(*image_catalogue::open(folder, *store.metadata).value(), "app", store.put(bytes));
    REQUIRE(store.contents->checkpoint());
  }
  const content_name name(info_of(bytes).id);
  REQUIRE(std::filesystem::remove(folder / "contents" / "contents" / name.view()));
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

TEST_CASE("losses that a process has not noted before it died are found by the next one, once") {
  temporary_folder folder;
  leave_lacking_image(folder.path());
  {
    started_node dies(folder.path());
    CHECK(dies.contents->lost_at_opening() == 1);
    CHECK(dies.complete("app"));
  }
  {
    started_node next(folder.path());
    CHECK(next.contents->lost_at_opening() == 0);  // the store has forgotten them
    CHECK(next.finish_check() == std::vector<std::string>{"app"});
    CHECK_FALSE(next.complete("app"));
    REQUIRE(next.catalogue->change("app", amd64, [](image_record& image) { image.complete = true; }));
  }
  started_node after(folder.path());
  CHECK(after.finish_check().empty());
  CHECK(after.complete("app"));  // nobody looks without need
}

TEST_CASE("a check for losses that was interrupted by another death goes on until it is finished") {
  temporary_folder folder;
  leave_lacking_image(folder.path());
  for (int deaths = 0; deaths < 2; ++deaths) started_node dies(folder.path());
  started_node last(folder.path());
  CHECK(last.finish_check() == std::vector<std::string>{"app"});
}

}  // namespace firstlight
