#include "storage/image_usage.hpp"

#include <catch2/catch.hpp>

#include "storage/database.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

struct stored_image {
  image_builder::built built;
  temporary_folder folder;
  std::unique_ptr<database> metadata = database::open(folder.path() / "db").value();
  std::unique_ptr<content_store> store =
      content_store::open(folder.path(), *metadata, block_geometry{}, 16).value();

  explicit stored_image(image_builder::built image) : built(std::move(image)) {}

  void write(std::uint32_t content, std::uint32_t block) const {
    const auto info = built.toc->content(content);
    const auto offset = std::size_t{block} * default_block_bytes;
    const auto bytes = std::string_view(built.bytes[content]).substr(offset, default_block_bytes);
    REQUIRE(store->write(info, block, std::as_bytes(std::span(bytes))));
  }
};

image_builder::built two_files() {
  image_builder image;
  image.file("a", patterned_bytes(3 * default_block_bytes, 1));
  image.file("b", patterned_bytes(100, 2));
  return image.build();
}

}  // namespace

TEST_CASE("an image takes what has arrived of it, block by block") {
  const stored_image image(two_files());
  const auto used = [&] { return measure_arrived(*image.built.toc, nullptr, *image.store); };
  CHECK(used() == snapshot_usage{0, 0});
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  for (std::uint32_t content = 0; content < 2; ++content) {
    const auto blocks = image.built.toc->geometry().count(image.built.toc->content(content).size);
    ++files;
    for (std::uint32_t block = 0; block < blocks; ++block) {
      image.write(content, block);
      bytes += image.built.toc->geometry().length(image.built.toc->content(content).size, block, 1);
      CHECK(used() == snapshot_usage{bytes, files});
    }
  }
  CHECK(bytes == 3 * default_block_bytes + 100);
}

TEST_CASE("what the image below has too does not count") {
  image_builder above;
  above.file("a", patterned_bytes(3 * default_block_bytes, 1));
  above.file("b", patterned_bytes(100, 2));
  above.file("c", patterned_bytes(50, 3));
  const stored_image image(above.build());
  const auto below = two_files();
  for (std::uint32_t content = 0; content < 3; ++content) {
    const auto blocks = image.built.toc->geometry().count(image.built.toc->content(content).size);
    for (std::uint32_t block = 0; block < blocks; ++block) image.write(content, block);
  }
  CHECK(measure_arrived(*image.built.toc, below.toc.get(), *image.store) == snapshot_usage{50, 1});
}

}  // namespace firstlight
