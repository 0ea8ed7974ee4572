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

TEST_CASE("records of snapshots that cannot be right are not served") {
  const temporary_folder folder;
  const auto metadata = open_database(folder);
  const auto served = [&](const snapshot_record& record) {
    const auto bytes = encode_snapshot(record);
    REQUIRE(metadata->put({"snapshot"}, "x", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    const auto records = snapshot_records::open(*metadata).value();
    CHECK(records.index().size() + records.unserved().size() == 1);
    return records.index().size() == 1;
  };
  const snapshot_record good{.id = 1, .name = "x"};
  CHECK(served(good));
  auto bad = good;
  bad.id = 0;
  CHECK_FALSE(served(bad));
  bad = good;
  bad.name = "y";
  CHECK_FALSE(served(bad));
  bad = good;
  bad.kind = static_cast<snapshot_kind>(4);
  CHECK_FALSE(served(bad));
  bad = good;
  bad.parent = "gone";
  CHECK_FALSE(served(bad));
  bad = good;
  bad.remote = remote_layers{"r", {}, "p", 1, 1};  // an active one
  CHECK_FALSE(served(bad));
  bad.kind = snapshot_kind::committed;
  bad.remote->layers = 2;
  CHECK_FALSE(served(bad));
}

TEST_CASE("a damaged record of a snapshot hides itself and what is above it, not the others, and stays") {
  const temporary_folder folder;
  const auto metadata = open_database(folder);
  {
    auto records = snapshot_records::open(*metadata).value();
    const auto layer = [&](const std::string& name, const std::string& parent) {
      REQUIRE(records.apply(
          records.index().make_remote({name, parent, {}}, {"docker.io/library/a:1", {}, "p", 1, 2}, 1)));
    };
    layer("base", "");
    layer("damaged", "base");
    layer("above", "damaged");
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"work", "base", {}}, 2)));
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"lost", "above", {}}, 2)));
  }
  REQUIRE(metadata->put({"snapshot"}, "damaged", "no message"));
  {
    auto records = snapshot_records::open(*metadata).value();
    std::vector<std::string> names;
    for (const auto& record : all(records)) names.push_back(record.name);
    CHECK(names == std::vector<std::string>{"base", "work"});
    std::set<std::string> unserved;
    for (const auto& record : records.unserved()) {
      unserved.insert(record.name);
      CHECK_FALSE(record.why.empty());
    }
    CHECK(unserved == std::set<std::string>{"above", "damaged", "lost"});
    REQUIRE(records.refused().size() == 2);
    CHECK(records.refused().at("above").remote->reference == "docker.io/library/a:1");
    CHECK(records.refused().at("lost").id == 5);
    // A new one gets the id of none of them.
    CHECK(records.apply(records.index().make(snapshot_kind::active, {"new", "base", {}}, 3))->id == 6);
    // As when containerd has the layer made anew.
    REQUIRE(records.apply(
        records.index().make_remote({"damaged", "base", {}}, {"r", {}, "linux/amd64", 2, 2}, 3)));
  }
  const auto records = snapshot_records::open(*metadata).value();
  CHECK(records.unserved().empty());
  CHECK(records.index().find("lost")->id == 5);
}

TEST_CASE("snapshots that are not served are dropped by name, one by one, and no others") {
  const temporary_folder folder;
  const auto metadata = open_database(folder);
  {
    auto records = snapshot_records::open(*metadata).value();
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"served", "", {}}, 1)));
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"making", "", {}}, 1)));
    REQUIRE(records.apply(records.index().commit({"damaged", "making", {}}, {}, 2)));
    REQUIRE(records.apply(records.index().make(snapshot_kind::active, {"above", "damaged", {}}, 3)));
  }
  REQUIRE(metadata->put({"snapshot"}, "damaged", "no message"));
  {
    auto records = snapshot_records::open(*metadata).value();
    REQUIRE(records.unserved().size() == 2);
    CHECK(records.drop("served").error().code == errc::not_found);
    CHECK(records.drop("nobody").error().code == errc::not_found);
    CHECK(records.has_undecodable());
    REQUIRE(records.drop("damaged"));
    CHECK_FALSE(records.has_undecodable());
    REQUIRE(records.unserved().size() == 1);
    CHECK(records.unserved().front().name == "above");
    CHECK(records.drop("damaged").error().code == errc::not_found);
  }
  {
    auto records = snapshot_records::open(*metadata).value();
    REQUIRE(records.unserved().size() == 1);
    REQUIRE(records.drop("above"));
    CHECK(records.refused().empty());
  }
  const auto records = snapshot_records::open(*metadata).value();
  CHECK(records.unserved().empty());
  CHECK(all(records).size() == 1);
}
