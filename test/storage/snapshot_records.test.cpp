#include "storage/snapshot_records.hpp"

#include <catch2/catch.hpp>

#include "schemas/snapshot_codec.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

std::unique_ptr<database> open_database(const temporary_folder& folder) {
  auto opened = database::open(folder.path() / "db");
  REQUIRE(opened);
  return std::move(*opened);
}

std::vector<snapshot_record> all(const snapshot_records& records) {
  std::vector<snapshot_record> found;
  records.index().each([&](const snapshot_record& record) { found.push_back(record); });
  return found;
}

}  // namespace

TEST_CASE("snapshots, their labels and parents are there after a restart") {
  const temporary_folder folder;
  std::vector<snapshot_record> before;
  {
    const auto metadata = open_database(folder);
    auto records = snapshot_records::open(*metadata).value();
    REQUIRE(records.apply(records.index().make_remote(
        {"sha256:1", "", {{"a", "b"}}}, {"docker.io/library/a:1", {}, "linux/amd64", 1, 1}, 3)));
    REQUIRE(records.apply(
        records.index().make(snapshot_kind::active, {"work", "sha256:1", {{"k", "\xff\n"}}}, 4)));
    REQUIRE(records.apply(records.index().commit({"mine", "work", {{"c", "d"}}}, {8192, 3}, 5)));
    REQUIRE(records.apply(records.index().make(snapshot_kind::view, {"look", "mine", {}}, 6)));
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"gone", "mine", {}}, 6)));
    REQUIRE(records.remove(records.index().remove("gone")));
    REQUIRE(records.apply(records.index().update("look", {{"x", "y"}}, {}, 7)));
    before = all(records);
    REQUIRE(before.size() == 3);
  }
  const auto metadata = open_database(folder);
  auto records = snapshot_records::open(*metadata).value();
  CHECK(all(records) == before);
  CHECK(records.index().remove("mine").error().code == errc::failed_precondition);
}

TEST_CASE("a change of snapshots that the rules refuse is not stored") {
  const temporary_folder folder;
  const auto metadata = open_database(folder);
  auto records = snapshot_records::open(*metadata).value();
  CHECK(records.apply(records.index().make(snapshot_kind::active, {"a", "nobody", {}}, 1)).error().code ==
        errc::not_found);
  CHECK(records.remove(records.index().remove("a")).error().code == errc::not_found);
  CHECK(all(snapshot_records::open(*metadata).value()).empty());
}

TEST_CASE("records of snapshots that cannot be right are refused, not served") {
  const temporary_folder folder;
  const auto metadata = open_database(folder);
  const auto store = [&](const snapshot_record& record) {
    const auto bytes = encode_snapshot(record);
    REQUIRE(metadata->put({"snapshot"}, "x", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    return snapshot_records::open(*metadata).map([](const auto&) { return 0; });
  };
  const snapshot_record good{.id = 1, .name = "x"};
  CHECK(store(good));
  auto bad = good;
  bad.id = 0;
  CHECK(store(bad).error().code == errc::corrupt);
  bad = good;
  bad.kind = static_cast<snapshot_kind>(4);
  CHECK(store(bad).error().code == errc::corrupt);
  bad = good;
  bad.parent = "gone";
  CHECK(store(bad).error().code == errc::corrupt);
  bad = good;
  bad.remote = remote_layers{"r", {}, "p", 1, 1};  // an active one
  CHECK(store(bad).error().code == errc::corrupt);
  bad.kind = snapshot_kind::committed;
  bad.remote->layers = 2;
  CHECK(store(bad).error().code == errc::corrupt);
  REQUIRE(metadata->put({"snapshot"}, "x", "no message"));
  CHECK_FALSE(snapshot_records::open(*metadata));
}
