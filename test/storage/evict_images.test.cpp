#include "storage/evict_images.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <limits>

#include "test/storage/store_fixture.hpp"

using namespace firstlight;

namespace {

/// Images over a few contents that they share.
struct evicting {
  temporary_folder folder;
  opened_store store{folder.path()};
  std::unique_ptr<image_catalogue> catalogue = image_catalogue::open(folder.path(), *store.metadata).value();
  std::vector<content_info> contents;
  std::map<std::string, std::vector<std::size_t>> images;

  evicting() {
    for (std::size_t i = 0; i < 8; ++i) contents.push_back(store.put(some_bytes(10'000 + 1'000 * i, i)));
  }
  void add(const std::string& name, const std::vector<std::size_t>& of, std::int64_t used_at) {
    image_tree tree;
    tree.inodes.resize(1);
    tree.inodes[0].type = file_type::directory;
    tree.inodes[0].links = 2;
    tree.directories.push_back({0, 0, {}});
    for (std::size_t i = 0; i < of.size(); ++i) {
      tree.contents.push_back(contents[of[i]]);
      image_inode file;
      file.size = contents[of[i]].size;
      file.content = static_cast<std::uint32_t>(i);
      tree.inodes.push_back(file);
      tree.directories[0].entries.push_back({"f" + std::to_string(i), static_cast<std::uint32_t>(i + 1)});
    }
    toc_header header;
    header.config_json = name;  // so that no two are equal
    const auto toc = make_toc(header, tree).value();
    if (!catalogue->store_toc(toc)) throw std::runtime_error("the TOC is not stored");
    image_record record;
    record.reference = name;
    record.platform = "linux/amd64";
    record.toc = toc.id;
    record.last_used_at = used_at;
    record.complete = true;
    if (!catalogue->put(record)) throw std::runtime_error("the record is not stored");
    images[name] = of;
  }
  [[nodiscard]] std::set<std::string> left() const {
    std::set<std::string> names;
    const auto records = catalogue->list().value();
    for (const auto& record : records) names.insert(record.reference);
    return names;
  }
  /// Removes what no image has.
  eviction sweep(std::vector<used_image> in_use = {}) {
    return evict_images(*catalogue, *store.contents,
                        {.bytes_max = std::numeric_limits<std::uint64_t>::max(),
                         .needed = [](const image_record&) { return false; },
                         .in_use = std::move(in_use)})
        .value();
  }
  [[nodiscard]] used_image use(const std::string& name) const {
    const auto toc = catalogue->find(name, "linux/amd64").value()->toc;
    return {toc, catalogue->toc(toc).value()};
  }
  [[nodiscard]] std::set<toc_id> stored_tocs() const {
    std::set<toc_id> ids;
    for (const auto& file : std::filesystem::directory_iterator(folder.path() / "tocs"))
      ids.insert(toc_id{parse_hex_digest(file.path().stem().string()).value()});
    return ids;
  }
  [[nodiscard]] bool has(std::size_t content) const {
    return store.contents->state(contents[content].id) == content_state::complete;
  }
};

}  // namespace

TEST_CASE("the image that was used longest ago is forgotten first, with what it alone has") {
  evicting test;
  test.add("old", {0, 1}, 10);
  test.add("older", {1, 2}, 5);
  test.add("new", {3}, 20);
  test.sweep();
  const auto before = test.store.contents->bytes_stored();
  const auto done =
      evict_images(
          *test.catalogue, *test.store.contents,
          {.bytes_max = before - 1, .needed = [](const image_record&) { return false; }, .in_use = {}})
          .value();
  REQUIRE(done.images.size() == 1);
  CHECK(done.images[0].reference == "older");
  CHECK(done.bytes_removed == 12'000);
  CHECK_FALSE(test.has(2));
  CHECK(test.has(1));
  CHECK(test.left() == std::set<std::string>{"old", "new"});
}

TEST_CASE("without a limit every image goes that is not needed, also one of which nothing is stored") {
  evicting test;
  test.add("empty", {}, 1);
  test.add("lost", {0}, 2);
  test.add("needed", {}, 3);
  for (const auto& content : test.contents) REQUIRE(test.store.contents->remove(content.id));
  REQUIRE(test.store.contents->bytes_stored() == 0);
  const auto needed = [](const image_record& record) { return record.reference == "needed"; };
  const auto done =
      evict_images(*test.catalogue, *test.store.contents, {.bytes_max = 0, .needed = needed, .in_use = {}})
          .value();
  CHECK(done.images.size() == 2);
  CHECK(test.left() == std::set<std::string>{"needed"});
}

TEST_CASE("what only the former version of an image had goes, limit or not, but not while it is used") {
  evicting test;
  test.add("app", {0, 1}, 1);
  const auto former = test.use("app");
  test.add("other", {5}, 1);
  REQUIRE(test.catalogue->remove("other", "linux/amd64"));
  test.add("other", {6}, 1);
  // As when the tag has moved: its record names another TOC.
  auto record = *test.catalogue->find("other", "linux/amd64").value();
  record.reference = "app";
  REQUIRE(test.catalogue->put(record));
  const auto used = test.sweep({former});
  CHECK(used.images.empty());
  CHECK(used.bytes_removed > 0);
  for (const std::size_t content : {0, 1, 6}) CHECK(test.has(content));
  CHECK(test.stored_tocs() == std::set<toc_id>{former.id, record.toc});
  CHECK(test.sweep().bytes_removed == 10'000 + 11'000);
  CHECK(test.store.contents->bytes_stored() == 16'000);
  CHECK(test.stored_tocs() == std::set<toc_id>{record.toc});
  CHECK(test.left() == std::set<std::string>{"app", "other"});
}

TEST_CASE("as long as it is not known what each image needs, what no other has stays") {
  evicting test;
  test.add("good", {0}, 1);
  test.add("bad", {1}, 1);
  const auto tree = test.catalogue->toc_path(test.use("bad").id, toc_part::tree);
  const auto contents = test.catalogue->toc_path(test.use("bad").id, toc_part::contents);
  const auto stored = test.store.contents->bytes_stored();
  SECTION("a record cannot be read") {
    REQUIRE(test.store.metadata->put({"image"}, std::string("bad") + '\0' + "linux/amd64", "no message"));
    test.sweep();
    CHECK(test.store.contents->bytes_stored() == stored);
    CHECK(std::filesystem::exists(tree));
  }
  SECTION("a TOC is damaged") {
    test.catalogue.reset();  // it is open there
    std::filesystem::resize_file(GENERATE(true, false) ? tree : contents, 1);
    test.catalogue = image_catalogue::open(test.folder.path(), *test.store.metadata).value();
    test.sweep();
    CHECK(test.store.contents->bytes_stored() == stored);
  }
  SECTION("but of one whose contents have not come nothing can have come") {
    test.catalogue.reset();
    std::filesystem::remove(contents);
    test.catalogue = image_catalogue::open(test.folder.path(), *test.store.metadata).value();
    test.sweep();
    CHECK(test.store.contents->bytes_stored() == 10'000);
    CHECK(std::filesystem::exists(tree));
  }
}

TEST_CASE("eviction never removes what is needed or in use, and leaves nothing that is not") {
  CHECK(rc::check([] {
    evicting test;
    const auto count = *rc::gen::inRange(1, 6);
    std::set<std::string> needed;
    std::set<std::size_t> needed_contents;
    std::set<std::size_t> used_contents;
    eviction_request request;
    for (int i = 0; i < count; ++i) {
      std::vector<std::size_t> of;
      for (std::size_t content = 0; content < test.contents.size(); ++content)
        if (*rc::gen::inRange(0, 3) == 0) of.push_back(content);
      const auto name = "image" + std::to_string(i);
      test.add(name, of, *rc::gen::inRange(0, 4));
      const auto way = *rc::gen::inRange(0, 4);
      if (way <= 1) needed_contents.insert(of.begin(), of.end());
      if (way == 0) needed.insert(name);
      if (way == 1) used_contents.insert(of.begin(), of.end());
      if (way == 1) request.in_use.push_back(test.use(name));
    }
    request.needed = [&](const image_record& record) { return needed.contains(record.reference); };
    request.bytes_max = *rc::gen::inRange<std::uint64_t>(0, test.store.contents->bytes_stored() + 1);
    const auto before = test.left();
    const auto done = evict_images(*test.catalogue, *test.store.contents, request);
    RC_ASSERT(done.has_value());
    const auto after = test.left();
    for (const auto& name : needed) RC_ASSERT(after.contains(name));
    for (const auto content : needed_contents) RC_ASSERT(test.has(content));
    for (const auto& name : after)  // what is still known is whole
      for (const auto content : test.images[name]) RC_ASSERT(test.has(content));
    const auto stored = test.store.contents->bytes_stored();
    RC_ASSERT(stored <= request.bytes_max || after == needed);
    auto has_use = used_contents;
    for (const auto& name : after) has_use.insert(test.images[name].begin(), test.images[name].end());
    std::uint64_t bytes_with_use = 0;
    for (const auto content : has_use) bytes_with_use += test.contents[content].size;
    RC_ASSERT(stored == bytes_with_use);
    std::int64_t latest = 0;
    for (const auto& image : done->images) {
      RC_ASSERT(image.last_used_at >= latest);
      latest = image.last_used_at;
    }
    RC_ASSERT(before.size() == after.size() + done->images.size());
  }));
}
