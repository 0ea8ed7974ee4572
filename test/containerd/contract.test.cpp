#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "test/containerd/snapshots_bench.hpp"

/// The rules of containerd's snapshotters that need no mount, over the real socket.
namespace firstlight {
namespace {

using code = grpc::StatusCode;
using names = std::vector<std::string>;
using text_map = std::map<std::string, std::string>;

/// Commits an empty layer.
void empty_layer(snapshots_bench& bench, const std::string& name, const std::string& parent = "") {
  REQUIRE(bench.prepare("m " + name, parent).ok());
  REQUIRE(bench.commit(name, "m " + name).ok());
}

api::Info info_of(snapshots_bench& bench, const std::string& key) {
  api::Info info;
  REQUIRE(bench.stat(key, &info).ok());
  return info;
}

}  // namespace

TEST_CASE("containerd sees an active snapshot with its kind, parent, labels and times") {
  snapshots_bench bench;
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("work", "base", {{"containerd.io/gc.root", "2026"}}).ok());
  const auto info = info_of(bench, "work");
  CHECK(info.name() == "work");
  CHECK(info.kind() == api::ACTIVE);
  CHECK(info.parent() == "base");
  CHECK(info.labels().at("containerd.io/gc.root") == "2026");
  CHECK(info.created_at().seconds() == 1'000'000'000);
  CHECK(info.created_at().nanos() > 0);
  CHECK(info.updated_at().nanos() == info.created_at().nanos());
}

TEST_CASE("containerd sees a committed snapshot under its new name only, with the commit's labels") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("work", "", {{"old", "1"}}).ok());
  REQUIRE(bench.commit("layer", "work", {{"new", "2"}}).ok());
  CHECK(bench.stat("work").error_code() == code::NOT_FOUND);
  const auto info = info_of(bench, "layer");
  CHECK(info.kind() == api::COMMITTED);
  CHECK(info.parent().empty());
  CHECK(info.labels().size() == 1);
  CHECK(info.labels().at("new") == "2");
}

TEST_CASE("a parent of a parent is seen through the chain") {
  snapshots_bench bench;
  empty_layer(bench, "a");
  empty_layer(bench, "b", "a");
  CHECK(info_of(bench, "b").parent() == "a");
  CHECK(info_of(bench, info_of(bench, "b").parent()).parent().empty());
}

TEST_CASE("containerd may not use a key twice, in whatever way") {
  snapshots_bench bench;
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("p", "base").ok());
  REQUIRE(bench.view("v", "base").ok());
  for (const auto* taken : {"base", "p", "v"}) {
    CHECK(bench.prepare(taken, "base").error_code() == code::ALREADY_EXISTS);
    CHECK(bench.view(taken, "base").error_code() == code::ALREADY_EXISTS);
    CHECK(bench.commit(taken, "p").error_code() == code::ALREADY_EXISTS);
  }
  CHECK(info_of(bench, "p").kind() == api::ACTIVE);
}

TEST_CASE("containerd is told what is wrong with a snapshot that it names") {
  snapshots_bench bench;
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("active", "base").ok());
  REQUIRE(bench.view("view", "base").ok());
  CHECK(bench.prepare("x", "nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.view("x", "nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.prepare("x", "active").error_code() == code::INVALID_ARGUMENT);
  CHECK(bench.view("x", "view").error_code() == code::INVALID_ARGUMENT);
  CHECK(bench.prepare("").error_code() == code::INVALID_ARGUMENT);
  CHECK(bench.commit("x", "nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.commit("x", "view").error_code() == code::FAILED_PRECONDITION);
  CHECK(bench.commit("x", "base").error_code() == code::FAILED_PRECONDITION);
  CHECK(bench.mounts("nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.mounts("base").error_code() == code::FAILED_PRECONDITION);
  CHECK(bench.remove("nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.stat("nobody").error_code() == code::NOT_FOUND);
  api::UsageResponse used;
  CHECK(bench.usage("nobody", &used).error_code() == code::NOT_FOUND);
  api::Info info;
  info.set_name("nobody");
  CHECK(bench.update(info, {}, &info).error_code() == code::NOT_FOUND);
  CHECK(bench.stat("x").error_code() == code::NOT_FOUND);  // nothing was made
}

TEST_CASE("containerd names the parent of a snapshot at its commit") {
  snapshots_bench bench;
  empty_layer(bench, "one");
  empty_layer(bench, "other");
  REQUIRE(bench.prepare("free").ok());
  REQUIRE(bench.prepare("bound", "one").ok());
  CHECK(bench.commit("x", "free", {}, "nobody").error_code() == code::NOT_FOUND);
  CHECK(bench.commit("x", "free", {}, "bound").error_code() == code::FAILED_PRECONDITION);
  CHECK(bench.commit("x", "bound", {}, "other").error_code() == code::INVALID_ARGUMENT);
  REQUIRE(bench.commit("two", "bound", {}, "one").ok());
  REQUIRE(bench.commit("three", "free", {{"k", "v"}}, "two").ok());
  const auto three = info_of(bench, "three");
  CHECK(three.parent() == "two");
  CHECK(three.labels().at("k") == "v");
  CHECK(bench.remove("two").error_code() == code::FAILED_PRECONDITION);
  bench.restart();
  CHECK(info_of(bench, "three").parent() == "two");
  std::vector<containerd::types::Mount> mounts;
  REQUIRE(bench.prepare("top", "three").ok());
  REQUIRE(bench.mounts("top", &mounts).ok());
  const auto lower = mounts.at(0).options(mounts.at(0).options_size() - 1);
  CHECK(std::count(lower.begin(), lower.end(), ':') == 2);  // the three of them
}

TEST_CASE("containerd removes snapshots from the top of a chain to its bottom") {
  snapshots_bench bench;
  empty_layer(bench, "one");
  empty_layer(bench, "two", "one");
  REQUIRE(bench.prepare("top", "two").ok());
  const auto refused = bench.remove("two");
  CHECK(refused.error_code() == code::FAILED_PRECONDITION);
  CHECK(refused.error_message().find("remove") != std::string::npos);
  CHECK(bench.remove("one").error_code() == code::FAILED_PRECONDITION);
  REQUIRE(bench.remove("top").ok());
  REQUIRE(bench.remove("two").ok());
  REQUIRE(bench.remove("one").ok());
  CHECK(bench.remove("one").error_code() == code::NOT_FOUND);
}

TEST_CASE("containerd may use a removed snapshot's name again, for a snapshot of any kind") {
  snapshots_bench bench;
  empty_layer(bench, "committed");
  REQUIRE(bench.prepare("key", "committed").ok());
  REQUIRE(bench.remove("key").ok());
  REQUIRE(bench.view("key", "committed").ok());
  CHECK(info_of(bench, "key").kind() == api::VIEW);
  REQUIRE(bench.remove("key").ok());
  REQUIRE(bench.prepare("key").ok());
  REQUIRE(bench.remove("committed").ok());
  REQUIRE(bench.commit("committed", "key").ok());
  CHECK(info_of(bench, "committed").kind() == api::COMMITTED);
  CHECK(info_of(bench, "committed").parent().empty());
  REQUIRE(bench.prepare("key", "committed").ok());
}

TEST_CASE("what a removed snapshot held is gone from the disk when containerd is answered") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("work").ok());
  const auto before = std::distance(std::filesystem::directory_iterator(bench.snapshots_folder()), {});
  CHECK(before == 1);
  REQUIRE(bench.remove("work").ok());
  CHECK(std::filesystem::is_empty(bench.snapshots_folder()));
}

TEST_CASE("containerd's clean-up removes what no snapshot has, and what it has stays") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("work").ok());
  std::filesystem::create_directories(bench.snapshots_folder() / "4711/fs/deep");
  REQUIRE(bench.clean_up().ok());
  CHECK_FALSE(std::filesystem::exists(bench.snapshots_folder() / "4711"));
  std::vector<containerd::types::Mount> mounts;
  REQUIRE(bench.mounts("work", &mounts).ok());
  CHECK(std::filesystem::exists(mounts.at(0).source()));
}

TEST_CASE("containerd lists snapshots by its filters, in messages of bounded size") {
  snapshots_bench bench;
  bench.options.listed_at_once_max = 2;
  bench.restart();
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("active", "base", {{"team", "blue"}}).ok());
  REQUIRE(bench.view("view", "base").ok());
  names found;
  int messages = 0;
  REQUIRE(bench.list({}, &found, &messages).ok());
  CHECK(found == names{"active", "base", "view"});
  CHECK(messages == 2);
  const auto matching = [&](const std::vector<std::string>& filters) {
    REQUIRE(bench.list(filters, &found).ok());
    return found;
  };
  CHECK(matching({"kind==committed"}) == names{"base"});
  CHECK(matching({"parent==base,kind!=view"}) == names{"active"});
  CHECK(matching({"parent==base, kind == view"}) == names{"view"});
  CHECK(matching({"labels.team==blue", "name==view"}) == names{"active", "view"});
  CHECK(matching({"labels.\"team\"~=^bl"}) == names{"active"});
  CHECK(matching({"labels.team~=^$"}) == names{"base", "view"});  // as if it were there and empty
  CHECK(matching({"kind==nothing"}).empty());
  CHECK(bench.list({"kind="}, &found).error_code() == code::INVALID_ARGUMENT);
}

TEST_CASE("what containerd is told of snapshots in a list is what it is told of each") {
  snapshots_bench bench;
  empty_layer(bench, "one");
  REQUIRE(bench.prepare("making", "one").ok());
  REQUIRE(bench.commit("two", "making", {{"k", "v"}}).ok());
  REQUIRE(bench.prepare("active", "two", {{"a", "b"}}).ok());
  REQUIRE(bench.view("view", "two").ok());
  std::vector<api::Info> listed;
  REQUIRE(bench.list({}, &listed).ok());
  REQUIRE(listed.size() == 4);
  for (const auto& info : listed)
    CHECK(info.ShortDebugString() == info_of(bench, info.name()).ShortDebugString());
}

TEST_CASE("the filter by which containerd looks for a remote snapshot finds it") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("work", "", {{"containerd.io/snapshot.ref", "sha256:aa"}}).ok());
  names found;
  REQUIRE(bench.list({R"(labels."containerd.io/snapshot.ref"==sha256:aa,parent=="")"}, &found).ok());
  CHECK(found == names{"work"});
}

TEST_CASE("a label of more than 4096 bytes is an invalid argument, as to containerd itself") {
  snapshots_bench bench;
  const text_map longest{{"key", std::string(4093, 'v')}};
  const text_map too_long{{"key", std::string(4094, 'v')}};
  CHECK(bench.prepare("work", "", too_long).error_code() == code::INVALID_ARGUMENT);
  REQUIRE(bench.prepare("work", "", longest).ok());
  CHECK(bench.commit("layer", "work", too_long).error_code() == code::INVALID_ARGUMENT);
  auto info = info_of(bench, "work");
  (*info.mutable_labels())["key"] += 'v';
  CHECK(bench.update(info, {}, &info).error_code() == code::INVALID_ARGUMENT);
  CHECK(info_of(bench, "work").labels().at("key") == longest.at("key"));
  CHECK(bench.commit("layer", "work", longest).ok());
}

TEST_CASE("containerd updates labels and nothing else") {
  snapshots_bench bench;
  REQUIRE(bench.prepare("work", "", {{"a", "1"}, {"b", "2"}}).ok());
  const auto created = info_of(bench, "work").created_at().nanos();
  api::Info asked;
  asked.set_name("work");
  asked.set_parent("other");
  asked.set_kind(api::COMMITTED);
  (*asked.mutable_labels())["a"] = "3";
  (*asked.mutable_labels())["c"] = "4";
  api::Info now;
  REQUIRE(bench.update(asked, {"labels.a", "labels.b"}, &now).ok());
  CHECK(now.labels().size() == 1);
  CHECK(now.labels().at("a") == "3");
  REQUIRE(bench.update(asked, {}, &now).ok());
  CHECK(now.labels().size() == 2);
  CHECK(now.kind() == api::ACTIVE);
  CHECK(now.parent().empty());
  CHECK(now.created_at().nanos() == created);
  CHECK(now.updated_at().nanos() > created);
  CHECK(bench.update(asked, {"parent"}, &now).error_code() == code::INVALID_ARGUMENT);
  CHECK(info_of(bench, "work").labels().at("c") == "4");
}

TEST_CASE("containerd updates the labels of snapshots of every kind, also labels that are not there") {
  snapshots_bench bench;
  empty_layer(bench, "lower");
  empty_layer(bench, "committed", "lower");
  REQUIRE(bench.prepare("active", "committed").ok());
  REQUIRE(bench.view("view", "committed").ok());
  for (const auto* name : {"lower", "committed", "active", "view"}) {
    INFO(name);
    const auto before = info_of(bench, name);
    api::Info now;
    const auto updated = [&](const text_map& labels, const std::vector<std::string>& fields) {
      auto asked = before;
      asked.set_parent("other");
      asked.mutable_labels()->insert(labels.begin(), labels.end());
      REQUIRE(bench.update(asked, fields, &now).ok());
      return text_map(now.labels().begin(), now.labels().end());
    };
    CHECK(updated({{"l1", "1"}, {"l2", "2"}, {"l3", "3"}}, {}).size() == 3);
    CHECK(updated({{"l1", "new"}, {"l4", "4"}}, {"labels.l1", "labels.l2", "labels.nowhere"}) ==
          text_map{{"l1", "new"}, {"l3", "3"}});
    CHECK(updated({{"l4", "4"}}, {"labels.l4"}) == text_map{{"l1", "new"}, {"l3", "3"}, {"l4", "4"}});
    CHECK(updated({{"l5", "5"}}, {"labels"}) == text_map{{"l5", "5"}});
    CHECK(now.kind() == before.kind());
    CHECK(now.parent() == before.parent());
    CHECK(now.created_at().ShortDebugString() == before.created_at().ShortDebugString());
    CHECK(info_of(bench, name).ShortDebugString() == now.ShortDebugString());
  }
  CHECK(bench.remove("committed").error_code() == code::FAILED_PRECONDITION);
}

TEST_CASE("the mounts of a snapshot are the same whenever containerd asks") {
  snapshots_bench bench;
  empty_layer(bench, "one");
  empty_layer(bench, "two", "one");
  REQUIRE(bench.prepare("work", "two").ok());
  std::vector<containerd::types::Mount> first;
  std::vector<containerd::types::Mount> second;
  REQUIRE(bench.mounts("work", &first).ok());
  bench.restart();
  REQUIRE(bench.mounts("work", &second).ok());
  REQUIRE(first.size() == 1);
  REQUIRE(second.size() == 1);
  CHECK(first[0].SerializeAsString() == second[0].SerializeAsString());
  CHECK(first[0].type() == "overlay");
}

TEST_CASE("snapshots outlive the process that serves them") {
  snapshots_bench bench;
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("work", "base", {{"k", "v"}}).ok());
  const auto before = info_of(bench, "work").SerializeAsString();
  std::ofstream(bench.snapshots_folder() / "2/fs/file") << "kept";
  std::filesystem::create_directories(bench.snapshots_folder() / "99/fs");  // of one that was never recorded
  bench.restart();
  CHECK(info_of(bench, "work").SerializeAsString() == before);
  CHECK(std::filesystem::exists(bench.snapshots_folder() / "2/fs/file"));
  CHECK_FALSE(std::filesystem::exists(bench.snapshots_folder() / "99"));
  CHECK(bench.remove("base").error_code() == code::FAILED_PRECONDITION);
}

TEST_CASE("the socket for containerd is for its owner only and goes with its server") {
  snapshots_bench bench;
  const auto mode = std::filesystem::status(bench.socket()).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK(std::distance(std::filesystem::directory_iterator(bench.socket().parent_path()), {}) == 1);
  bench.stop();
  CHECK_FALSE(std::filesystem::exists(bench.socket()));
}

TEST_CASE("a second node does not take the first one's socket, but a dead one's is replaced") {
  snapshots_bench bench;
  snapshots_bench other;
  other.options.socket = bench.socket();
  CHECK_THROWS_WITH(other.restart(), Catch::Contains("a daemon is running already"));
  REQUIRE(bench.prepare("still").ok());
  bench.stop();
  std::ofstream(bench.socket()) << "no socket";
  CHECK_THROWS_WITH(other.restart(), Catch::Contains("not a socket"));
}

TEST_CASE("a snapshot whose chain is too long for the options of a mount is refused, with the limit's name") {
  snapshots_bench bench;
  empty_layer(bench, "base");
  REQUIRE(bench.prepare("before", "base").ok());
  std::vector<containerd::types::Mount> mounts;
  REQUIRE(bench.mounts("before", &mounts).ok());
  std::uint32_t bytes = 0;
  for (const auto& option : mounts.at(0).options()) bytes += static_cast<std::uint32_t>(option.size()) + 1;
  const auto allow = [&](std::uint32_t most) {
    bench.options.snapshots.mount_options_bytes_max = most;
    bench.restart();
  };
  allow(bytes - 2);  // one less than what it takes
  for (const auto& refused : {bench.prepare("after", "base"), bench.mounts("before")}) {
    CHECK(refused.error_code() == code::RESOURCE_EXHAUSTED);
    CHECK(refused.error_message().find("mount_options_bytes_max") != std::string::npos);
  }
  CHECK(bench.stat("after").error_code() == code::NOT_FOUND);
  CHECK(std::distance(std::filesystem::directory_iterator(bench.snapshots_folder()), {}) == 2);
  allow(bytes - 1);
  CHECK(bench.mounts("before").ok());
  CHECK(bench.prepare("after", "base").ok());
}

TEST_CASE("each limit of containerd's requests is told by its name") {
  snapshots_bench bench;
  bench.options.snapshots = {.snapshots_max = 2,
                             .name_bytes_max = 10,
                             .labels_max = 1,
                             .label_bytes_max = 10,
                             .chain_max = 1,
                             .filters_max = 1,
                             .filter_bytes_max = 10};
  bench.restart();
  empty_layer(bench, "base");
  const auto refused = [](const grpc::Status& status, const std::string& name) {
    return status.error_code() == code::RESOURCE_EXHAUSTED &&
           status.error_message().find(name) != std::string::npos;
  };
  CHECK(refused(bench.prepare("x", "base"), "chain_max"));
  CHECK(refused(bench.prepare("x", "", {{"a", "1"}, {"b", "1"}}), "labels_max"));
  const auto label = bench.prepare("x", "", {{"a", "0123456789"}});
  CHECK(label.error_code() == code::INVALID_ARGUMENT);
  CHECK(label.error_message().find("label_bytes_max") != std::string::npos);
  CHECK(bench.prepare("01234567890").error_code() == code::INVALID_ARGUMENT);
  names found;
  CHECK(refused(bench.list({"name==a", "name==b"}, &found), "filters_max"));
  CHECK(refused(bench.list({"name==abcdefg"}, &found), "filter_bytes_max"));
  REQUIRE(bench.prepare("x").ok());
  CHECK(refused(bench.prepare("y"), "snapshots_max"));
}

}  // namespace firstlight
