#include "storage/allowed_deliveries.hpp"

#include <catch2/catch.hpp>

#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

TEST_CASE("what was allowed is known after a restart, until it is too old") {
  const temporary_folder folder;
  toc_id toc;
  toc.value.bytes[0] = std::byte{1};
  {
    auto metadata = database::open(folder.path() / "db").value();
    allowed_deliveries kept(*metadata);
    REQUIRE(kept.note({"old", toc, 10}));
    REQUIRE(kept.note({"young", toc, 10}));
    REQUIRE(kept.note({"young", toc, 20}));
    REQUIRE(metadata->sync());
  }
  auto metadata = database::open(folder.path() / "db").value();
  allowed_deliveries kept(*metadata);
  const auto since = kept.since(20).value();
  REQUIRE(since.size() == 1);
  CHECK(since.front().node == "young");
  CHECK(since.front().toc == toc);
  CHECK(since.front().at == 20);
  CHECK(kept.since(0).value().size() == 1);  // the old one has been forgotten
}
