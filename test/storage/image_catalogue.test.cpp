#include "storage/image_catalogue.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "storage/file_io.hpp"
#include "storage/sha256.hpp"
#include "test/harness/random_tree.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

/// A catalogue with one TOC to store; `restart` opens it anew.
struct catalogue_bench {
  temporary_folder folder;
  std::unique_ptr<database> metadata;
  std::unique_ptr<image_catalogue> catalogue;
  std::vector<std::byte> message =
      encode_toc({.block_bytes = default_block_bytes}, random_image_tree(1, 50)).value();
  toc_id id{sha256(message)};

  catalogue_bench() { restart(); }
  void restart() {
    catalogue.reset();
    metadata.reset();
    metadata = database::open(folder.path() / "db").value();
    catalogue = image_catalogue::open(folder.path(), *metadata).value();
  }
  void record() { REQUIRE(catalogue->put({.reference = "app", .platform = "linux/amd64", .toc = id})); }
};

}  // namespace

TEST_CASE("a stored TOC is opened once for all its readers, and stays open for the next") {
  catalogue_bench bench;
  const auto* first = bench.catalogue->store_toc(bench.id, bench.message).value().get();
  CHECK(bench.catalogue->toc(bench.id).value().get() == first);
}

TEST_CASE("a TOC that was stored without waiting for the disk is there after a restart") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.id, bench.message, durability::buffered));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id));
}

TEST_CASE("a TOC that a power cut has damaged is said to be corrupt, and can be stored again") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.id, bench.message));
  bench.restart();
  const auto left = GENERATE(0, 10);
  std::filesystem::resize_file(bench.catalogue->toc_path(bench.id), static_cast<std::uintmax_t>(left));
  CHECK(bench.catalogue->toc(bench.id).error().code == errc::corrupt);
  REQUIRE(bench.catalogue->store_toc(bench.id, bench.message));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id));
}

TEST_CASE("the TOC of a removed image is forgotten with its last record, and can be stored again") {
  catalogue_bench bench;
  REQUIRE(bench.catalogue->store_toc(bench.id, bench.message));
  bench.record();
  REQUIRE(bench.catalogue->remove("app", "linux/amd64"));
  CHECK(bench.catalogue->toc(bench.id).error().code == errc::not_found);
  REQUIRE(bench.catalogue->store_toc(bench.id, bench.message));
  bench.restart();
  CHECK(bench.catalogue->toc(bench.id));
}

}  // namespace firstlight
