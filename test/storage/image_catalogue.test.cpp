#include "storage/image_catalogue.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "test/harness/random_tree.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

/// A catalogue with one TOC to store; `restart` opens it anew.
struct catalogue_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata;
  std::unique_ptr<image_catalogue> catalogue;
  made_toc made = make_toc({.block_bytes = default_block_bytes}, random_image_tree(1, 50)).value();
  toc_id id = made.id;

  explicit catalogue_bench(const catalogue_limits& limits = {}) { restart(limits); }
  void restart(const catalogue_limits& limits = {}) {
    catalogue.reset();
    metadata.reset();
    metadata = database::open(folder.path() / "db").value();
    catalogue = image_catalogue::open(folder.path(), *metadata, limits).value();
  }
  void record() { REQUIRE(catalogue->put({.reference = "app", .platform = "linux/amd64", .toc = id})); }
};

}  // namespace

TEST_CASE("a stored TOC is opened once for all its readers, and stays open for the next") {
  catalogue_bench bench;
  const auto* first = bench.catalogue->store_toc(bench.made).value().get();
  CHECK(bench.catalogue->toc(bench.id).value().get() == first);
}

TEST_CASE("a tree that is not the one that was signed is refused") {
  catalogue_bench bench;
  auto wrong = bench.made.tree;
  wrong.back() ^= std::byte{1};
  CHECK(bench.catalogue->open_tree(bench.id, share(wrong)).error().code == errc::corrupt);
  CHECK(bench.catalogue->open_tree({}, share(bench.made.tree)).error().code == errc::corrupt);
  CHECK(bench.catalogue->open_tree(bench.id, share(bench.made.tree)));
}

TEST_CASE("a tree is used before its contents have come, and stored with them") {
  catalogue_bench bench;
  const auto tree = bench.catalogue->open_tree(bench.id, share(bench.made.tree)).value();
  CHECK_FALSE(tree->contents_known());
  CHECK(bench.catalogue->toc(bench.id).error().code == errc::not_found);
  CHECK(bench.catalogue->open_tree(bench.id, share(bench.made.tree)).value() == tree);
  auto wrong = bench.made.contents;
  wrong[5] ^= std::byte{1};
  CHECK(bench.catalogue->store_contents(bench.id, *tree, share(wrong)).error().code == errc::corrupt);
  CHECK_FALSE(tree->contents_known());
  REQUIRE(bench.catalogue->store_contents(bench.id, *tree, share(bench.made.contents)));
  CHECK(bench.catalogue->toc(bench.id).value() == tree);
  REQUIRE(bench.catalogue->store_tree(bench.id, *tree));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id).value()->contents_known());
}

TEST_CASE("a TOC without any content is stored and opened like others") {
  catalogue_bench bench;
  image_tree empty;
  empty.inodes.resize(1);
  empty.inodes[0].type = file_type::directory;
  empty.inodes[0].links = 2;
  empty.directories = {{0, 0, {}}};
  const auto made = make_toc({.block_bytes = default_block_bytes}, empty).value();
  REQUIRE(bench.catalogue->store_toc(made));
  CHECK(bench.catalogue->packed_toc(made.id, toc_part::contents, std::nullopt));
  bench.restart();
  CHECK(bench.catalogue->toc(made.id).value()->contents_known());
}

TEST_CASE("a change of a record keeps what others have changed") {
  catalogue_bench bench;
  bench.record();
  REQUIRE(
      bench.catalogue->change("app", "linux/amd64", [](image_record& record) { record.complete = true; }));
  const auto changed =
      bench.catalogue->change("app", "linux/amd64", [](image_record& record) { record.last_used_at = 7; });
  CHECK(changed.value().complete);
  CHECK(bench.catalogue->find("app", "linux/amd64").value()->last_used_at == 7);
  const auto none = bench.catalogue->change("other", "linux/amd64", [](image_record&) {});
  CHECK(none.error().code == errc::not_found);
}

TEST_CASE("a record that is removed while it is changed is not brought back") {
  catalogue_bench bench;
  for (int round = 0; round < 20; ++round) {
    bench.record();
    result<void> removed;
    std::thread remover;
    // Whoever removes without waiting for the change is done before it is written, mostly.
    const auto changed = bench.catalogue->change("app", "linux/amd64", [&](image_record&) {
      remover = std::thread([&] { removed = bench.catalogue->remove("app", "linux/amd64"); });
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
    });
    remover.join();
    CHECK(changed);
    CHECK(removed);
    CHECK_FALSE(bench.catalogue->find("app", "linux/amd64").value());
  }
}

TEST_CASE(
    "a tree whose contents never came is not known after a restart, but for mounts that need it alone") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->open_tree(bench.id, share(bench.made.tree)));
  bench.restart();
  CHECK(toc_is_lost(bench.catalogue->toc(bench.id).error().code));
  CHECK(toc_is_lost(bench.catalogue->tree(bench.id).error().code));  // used, but never stored
  const auto used = bench.catalogue->open_tree(bench.id, share(bench.made.tree)).value();
  REQUIRE(bench.catalogue->store_tree(bench.id, *used));
  bench.restart();
  CHECK(toc_is_lost(bench.catalogue->toc(bench.id).error().code));
  const auto tree = bench.catalogue->tree(bench.id).value();
  CHECK_FALSE(tree->contents_known());
  CHECK(bench.catalogue->open_tree(bench.id, share(bench.made.tree)).value() == tree);
  REQUIRE(bench.catalogue->store_contents(bench.id, *tree, share(bench.made.contents)));
  CHECK(bench.catalogue->tree(bench.id).value() == tree);
  CHECK(bench.catalogue->toc(bench.id).value() == tree);
}

TEST_CASE("a damaged record of an image hides that image alone, and is found, replaced and removed") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.made));
  bench.record();
  REQUIRE(bench.catalogue->put({.reference = "bad", .platform = "linux/amd64", .toc = bench.id}));
  const auto damage = [&] {
    REQUIRE(bench.metadata->put({"image"}, std::string("bad\0linux/amd64", 15), "no message"));
  };
  damage();
  bench.restart();
  REQUIRE(bench.catalogue->list().value().size() == 1);
  CHECK(bench.catalogue->list().value().front().reference == "app");
  CHECK(bench.catalogue->find_toc(bench.id).value()->reference == "app");
  const auto unreadable = bench.catalogue->unreadable().value();
  REQUIRE(unreadable.size() == 1);
  CHECK(unreadable.front().name == "bad");
  CHECK(unreadable.front().platform == "linux/amd64");
  const auto found = bench.catalogue->find("bad", "linux/amd64");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::corrupt);
  CHECK(found.error().detail.find("bad") != std::string::npos);
  // Whoever removes what no record names is told that not all are known.
  CHECK(bench.catalogue->list_whole().error().code == errc::corrupt);
  CHECK(bench.catalogue->forget_unnamed().error().code == errc::corrupt);

  SECTION("the next record of that name replaces it") {
    REQUIRE(bench.catalogue->put({.reference = "bad", .platform = "linux/amd64", .toc = bench.id}));
    CHECK(bench.catalogue->unreadable().value().empty());
    CHECK(bench.catalogue->list_whole().value().size() == 2);
  }
  SECTION("it may need the TOC of another that is removed") {
    REQUIRE(bench.catalogue->remove("app", "linux/amd64"));
    CHECK(bench.catalogue->toc(bench.id));
  }
  SECTION("it is removed by its name") {
    REQUIRE(bench.catalogue->remove("bad", "linux/amd64"));
    CHECK(bench.catalogue->remove("bad", "linux/amd64").error().code == errc::not_found);
    CHECK(bench.catalogue->list_whole().value().size() == 1);
    CHECK(bench.catalogue->toc(bench.id));
  }
}

TEST_CASE("which images are containerd's alone is known after a restart, until users want them too") {
  catalogue_bench bench;
  const catalogue_name first{"app", "linux/amd64"};
  const catalogue_name second{"app", "linux/arm64"};
  bench.record();
  for (const auto& image : {first, second}) REQUIRE(bench.catalogue->hold_for_containerd(image));
  bench.restart();
  CHECK(bench.catalogue->held_for_containerd().value() == std::vector<catalogue_name>{first, second});
  REQUIRE(bench.catalogue->hold_for_users(second));
  REQUIRE(bench.catalogue->hold_for_users(second));
  CHECK_FALSE(bench.catalogue->is_held_for_containerd(second).value());
  REQUIRE(bench.catalogue->remove("app", "linux/amd64"));
  bench.restart();
  CHECK(bench.catalogue->held_for_containerd().value().empty());
}

TEST_CASE("of the patches between tables of contents the latest are kept") {
  temporary_folder folder;
  const auto metadata = database::open(folder.path() / "db").value();
  const auto catalogue =
      image_catalogue::open(folder.path(), *metadata, {.tocs_kept_open = 4, .patches_kept_max = 2}).value();
  std::vector<toc_id> images;
  for (std::uint32_t seed = 1; seed <= 4; ++seed) {
    const auto made = make_toc({.block_bytes = default_block_bytes}, random_image_tree(seed, 50)).value();
    REQUIRE(catalogue->store_toc(made));
    images.push_back(made.id);
  }
  REQUIRE(catalogue->packed_toc(images[0], toc_part::tree, std::nullopt));
  for (std::size_t base = 1; base < images.size(); ++base)
    REQUIRE(catalogue->packed_toc(images[0], toc_part::tree, images[base]));
  std::size_t patches = 0;
  std::size_t whole = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.path() / "tocs")) {
    if (file.path().extension() != ".packed") continue;
    ++(file.path().filename().string().find('-') == std::string::npos ? whole : patches);
  }
  CHECK(patches == 2);
  CHECK(whole == 1);
  CHECK(catalogue->packed_toc(images[0], toc_part::tree, images[1]));
}

TEST_CASE("a TOC that a power cut has damaged is said to be corrupt, and can be stored again") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.made));
  bench.restart();
  const auto left = GENERATE(0, 10);
  const auto part = GENERATE(toc_part::tree, toc_part::contents);
  std::filesystem::resize_file(bench.catalogue->toc_path(bench.id, part), static_cast<std::uintmax_t>(left));
  CHECK(bench.catalogue->toc(bench.id).error().code == errc::corrupt);
  REQUIRE(bench.catalogue->store_toc(bench.made));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id));
}

TEST_CASE("the TOC of a removed image is forgotten with its last record, and can be stored again") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.made));
  REQUIRE(bench.catalogue->packed_toc(bench.id, toc_part::tree, std::nullopt));
  bench.record();
  REQUIRE(bench.catalogue->remove("app", "linux/amd64"));
  CHECK(bench.catalogue->toc(bench.id).error().code == errc::not_found);
  CHECK(std::filesystem::is_empty(bench.folder.path() / "tocs"));
  REQUIRE(bench.catalogue->store_toc(bench.made));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id));
}

TEST_CASE("TOCs that no tag means any more go, but for the latest and those in use") {
  catalogue_bench bench({.tocs_kept_open = 1, .unnamed_kept_max = 2});
  std::vector<toc_id> ids;
  std::shared_ptr<const toc_view> used;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto made = make_toc({.block_bytes = default_block_bytes}, random_image_tree(seed + 10, 5)).value();
    ids.push_back(made.id);
    const auto view = bench.catalogue->store_toc(made).value();
    if (seed == 0) used = view;
    REQUIRE(bench.catalogue->put_order(made.id, {}));
    REQUIRE(bench.catalogue->put({.reference = "app", .platform = "linux/amd64", .toc = made.id}));
    std::filesystem::last_write_time(bench.catalogue->toc_path(made.id, toc_part::tree),
                                     now + std::chrono::seconds(seed));
  }
  CHECK(bench.catalogue->forget_unnamed() == 2);
  for (const auto at : {0, 3, 4, 5}) CHECK(bench.catalogue->toc(ids[static_cast<std::size_t>(at)]));
  for (const std::size_t at : {1, 2}) {
    CHECK(bench.catalogue->toc(ids[at]).error().code == errc::not_found);
    CHECK_FALSE(bench.catalogue->order(ids[at], order_kind::guessed).value());
  }
  CHECK(bench.catalogue->forget_unnamed() == 0);
  // On a node mounts say what they use.
  CHECK(bench.catalogue->forget_unnamed({ids[3]}) == 2);
  for (const std::size_t at : {3, 5}) CHECK(bench.catalogue->toc(ids[at]));
  for (const std::size_t at : {0, 4})
    CHECK_FALSE(std::filesystem::exists(bench.catalogue->toc_path(ids[at], toc_part::tree)));
}

}  // namespace firstlight
