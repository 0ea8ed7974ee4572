#include "model/snapshot_index.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

constexpr snapshot_bounds bounds{
    .snapshots_max = 10, .name_bytes_max = 40, .labels_max = 3, .label_bytes_max = 20, .chain_max = 4};

/// An index whose changes are applied at once.
struct bench {
  snapshot_index all{bounds};

  result<snapshot_record> applied(const result<snapshot_change>& change) {
    if (!change) return tl::unexpected(change.error());
    all.apply(*change);
    return change->put;
  }
  result<snapshot_record> make(snapshot_kind kind, const std::string& name, const std::string& parent = "",
                               snapshot_labels labels = {}) {
    return applied(all.make(kind, {name, parent, std::move(labels)}, 5));
  }
  result<snapshot_record> prepare(const std::string& name, const std::string& parent = "") {
    return make(snapshot_kind::active, name, parent);
  }
  result<snapshot_record> commit(const std::string& name, const std::string& key, snapshot_labels labels = {},
                                 const std::string& parent = "") {
    return applied(all.commit({name, key, std::move(labels), parent}, {4096, 2}, 9));
  }
  result<void> remove(const std::string& name) {
    const auto gone = all.remove(name);
    if (!gone) return tl::unexpected(gone.error());
    all.erase(name);
    return {};
  }
  /// A committed snapshot.
  void layer(const std::string& name, const std::string& parent = "") {
    REQUIRE(prepare("making " + name, parent));
    REQUIRE(commit(name, "making " + name));
  }
};

template <class T>
errc code(const result<T>& outcome) {
  REQUIRE_FALSE(outcome.has_value());
  return outcome.error().code;
}

}  // namespace

TEST_CASE("a snapshot that was prepared is active and has what it was given") {
  bench b;
  b.layer("base");
  const auto made = b.make(snapshot_kind::active, "work", "base", {{"a", "b"}, {"dropped", ""}});
  REQUIRE(made);
  CHECK(b.all.find("work") == *made);
  CHECK(made->kind == snapshot_kind::active);
  CHECK(made->parent == "base");
  CHECK(made->labels == snapshot_labels{{"a", "b"}});
  CHECK(made->created_at_ns == 5);
  CHECK(made->updated_at_ns == 5);
  CHECK(made->id != b.all.find("base")->id);
}

TEST_CASE("a committed snapshot has the name, labels, time and usage of its commit, and its key is gone") {
  bench b;
  REQUIRE(b.make(snapshot_kind::active, "work", "", {{"old", "1"}}));
  const auto id = b.all.find("work")->id;
  REQUIRE(b.commit("layer", "work", {{"new", "2"}}));
  CHECK(code(b.all.find("work")) == errc::not_found);
  const auto layer = b.all.find("layer").value();
  CHECK(layer.id == id);  // its files stay where they are
  CHECK(layer.kind == snapshot_kind::committed);
  CHECK(layer.labels == snapshot_labels{{"new", "2"}});
  CHECK(layer.created_at_ns == 9);
  CHECK(layer.usage == snapshot_usage{4096, 2});
}

TEST_CASE("names of snapshots are taken by snapshots of every kind") {
  bench b;
  b.layer("base");
  REQUIRE(b.prepare("active", "base"));
  REQUIRE(b.make(snapshot_kind::view, "view", "base"));
  for (const auto* taken : {"base", "active", "view"}) {
    CHECK(code(b.prepare(taken)) == errc::already_exists);
    CHECK(code(b.make(snapshot_kind::view, taken)) == errc::already_exists);
    CHECK(code(b.commit(taken, "active")) == errc::already_exists);
  }
}

TEST_CASE("a parent must be there and committed") {
  bench b;
  REQUIRE(b.prepare("active"));
  CHECK(code(b.prepare("x", "nobody")) == errc::not_found);
  CHECK(code(b.prepare("x", "active")) == errc::invalid_argument);
  CHECK(code(b.make(snapshot_kind::view, "x", "active")) == errc::invalid_argument);
}

TEST_CASE("only active snapshots are committed") {
  bench b;
  b.layer("base");
  REQUIRE(b.make(snapshot_kind::view, "view", "base"));
  CHECK(code(b.commit("new", "view")) == errc::failed_precondition);
  CHECK(code(b.commit("new", "base")) == errc::failed_precondition);
  CHECK(code(b.commit("new", "nobody")) == errc::not_found);
}

TEST_CASE("a snapshot that took the key of a removed one is not committed in its place") {
  bench b;
  const auto first = b.prepare("work").value().id;
  REQUIRE(b.remove("work"));
  REQUIRE(b.prepare("work"));
  CHECK(code(b.all.commit({.name = "layer", .key = "work", .labels = {}, .measured = first}, {}, 9)) ==
        errc::not_found);
  CHECK(b.all.commit({.name = "layer", .key = "work", .labels = {}, .measured = b.all.find("work")->id}, {},
                     9));
}

TEST_CASE("a snapshot that was made without a parent gets one at its commit") {
  bench b;
  b.layer("one");
  REQUIRE(b.prepare("work"));
  const auto two = b.commit("two", "work", {}, "one");
  REQUIRE(two);
  CHECK(two->parent == "one");
  CHECK(b.all.find("two")->parent == "one");
  CHECK(code(b.remove("one")) == errc::failed_precondition);
  REQUIRE(b.remove("two"));
  REQUIRE(b.remove("one"));
}

TEST_CASE("the parent of a commit must be the snapshot's own, or there and committed") {
  bench b;
  b.layer("one");
  b.layer("other");
  REQUIRE(b.prepare("above one", "one"));
  REQUIRE(b.prepare("free"));
  CHECK(code(b.commit("new", "above one", {}, "other")) == errc::invalid_argument);
  CHECK(code(b.commit("new", "free", {}, "nobody")) == errc::not_found);
  CHECK(code(b.commit("new", "free", {}, "above one")) == errc::failed_precondition);
  CHECK(code(b.commit("new", "free", {}, "free")) == errc::failed_precondition);
  CHECK(b.all.find("free")->parent.empty());
  CHECK(b.commit("two", "above one", {}, "one")->parent == "one");
  REQUIRE(b.prepare("above two", "two"));
  CHECK(b.commit("three", "above two")->parent == "two");  // none said: it keeps its own
  REQUIRE(b.prepare("fourth", "three"));
  REQUIRE(b.commit("four", "fourth"));
  CHECK(code(b.commit("five", "free", {}, "four")) == errc::limit_exceeded);
}

TEST_CASE("only active and viewed snapshots are mounted") {
  bench b;
  b.layer("base");
  REQUIRE(b.prepare("active", "base"));
  REQUIRE(b.make(snapshot_kind::view, "view", "base"));
  CHECK(b.all.find_mountable("active").has_value());
  CHECK(b.all.find_mountable("view").has_value());
  CHECK(code(b.all.find_mountable("base")) == errc::failed_precondition);
  CHECK(code(b.all.find_mountable("nobody")) == errc::not_found);
}

TEST_CASE("a snapshot is removed after all that have it as their parent") {
  bench b;
  b.layer("one");
  b.layer("two", "one");
  REQUIRE(b.prepare("work", "two"));
  REQUIRE(b.make(snapshot_kind::view, "look", "two"));
  CHECK(code(b.remove("one")) == errc::failed_precondition);
  CHECK(code(b.remove("two")) == errc::failed_precondition);
  REQUIRE(b.remove("work"));
  CHECK(code(b.remove("two")) == errc::failed_precondition);
  REQUIRE(b.remove("look"));
  REQUIRE(b.remove("two"));
  REQUIRE(b.remove("one"));
  CHECK(code(b.remove("one")) == errc::not_found);
  CHECK(b.all.size() == 0);
  REQUIRE(b.prepare("one"));  // the name is free again
}

TEST_CASE("a committed snapshot counts as the child of its parent under its new name only") {
  bench b;
  b.layer("one");
  REQUIRE(b.prepare("work", "one"));
  REQUIRE(b.commit("two", "work"));
  CHECK(b.remove("one").error().detail == "snapshot one is the parent of two; remove that first");
  REQUIRE(b.remove("two"));
  REQUIRE(b.remove("one"));
}

TEST_CASE("ids are not given twice") {
  bench b;
  const auto first = b.prepare("a")->id;
  REQUIRE(b.remove("a"));
  CHECK(b.prepare("a")->id != first);
}

TEST_CASE("parents of a snapshot come nearest first") {
  bench b;
  b.layer("one");
  b.layer("two", "one");
  const auto work = b.prepare("work", "two").value();
  std::vector<std::string> names;
  for (const auto& parent : b.all.parents(work)) names.push_back(parent.name);
  CHECK(names == std::vector<std::string>{"two", "one"});
}

TEST_CASE("labels of a snapshot are updated as a whole or one by one") {
  bench b;
  REQUIRE(b.make(snapshot_kind::active, "a", "", {{"x", "1"}, {"y", "2"}}));
  const auto update = [&](snapshot_labels labels, std::vector<std::string> fields) {
    return b.applied(b.all.update("a", labels, fields, 20));
  };
  CHECK(update({{"x", "3"}, {"z", "9"}}, {"labels.x"})->labels == snapshot_labels{{"x", "3"}, {"y", "2"}});
  CHECK(update({}, {"labels.y"})->labels == snapshot_labels{{"x", "3"}});
  CHECK(update({{"a.b/c", "d"}}, {"labels.a.b/c"})->labels == snapshot_labels{{"a.b/c", "d"}, {"x", "3"}});
  CHECK(update({{"n", "1"}}, {"labels"})->labels == snapshot_labels{{"n", "1"}});
  CHECK(update({{"m", "1"}}, {})->labels == snapshot_labels{{"m", "1"}});
  CHECK(b.all.find("a")->updated_at_ns == 20);
  CHECK(b.all.find("a")->created_at_ns == 5);
  for (const auto* fixed : {"parent", "kind", "name", "created_at", "label"})
    CHECK(code(update({}, {fixed})) == errc::invalid_argument);
  CHECK(code(b.applied(b.all.update("nobody", {}, {}, 0))) == errc::not_found);
}

TEST_CASE("an update changes what a committed snapshot says, not who its children are") {
  bench b;
  b.layer("base");
  REQUIRE(b.prepare("work", "base"));
  REQUIRE(b.applied(b.all.update("base", {{"k", "v"}}, {}, 1)));
  CHECK(b.all.find("base")->kind == snapshot_kind::committed);
  CHECK(code(b.remove("base")) == errc::failed_precondition);
}

TEST_CASE("layers of the hub keep the label by which containerd finds them, whatever an update says") {
  auto wide = bounds;
  wide.label_bytes_max = 100;
  bench b{.all = snapshot_index{wide}};
  const std::string key = "containerd.io/snapshot.ref";
  REQUIRE(b.applied(b.all.make_remote({"sha256:1", "", {{key, "sha256:1"}}}, {"r", {}, "p", 1, 2}, 7)));
  b.layer("base");
  REQUIRE(b.applied(b.all.make_remote({"sha256:1", "base", {{key, "sha256:1"}}}, {"r", {}, "p", 1, 2}, 7)));
  for (const auto& name :
       {b.all.find_remote("sha256:1", "")->name, b.all.find_remote("sha256:1", "base")->name}) {
    INFO(name);
    const auto update = [&](snapshot_labels labels, std::vector<std::string> fields) {
      return b.applied(b.all.update(name, labels, fields, 20))->labels;
    };
    CHECK(update({{"n", "1"}}, {}) == snapshot_labels{{key, "sha256:1"}, {"n", "1"}});
    CHECK(update({{key, "other"}}, {"labels." + key}) == snapshot_labels{{key, "sha256:1"}, {"n", "1"}});
    CHECK(update({}, {"labels." + key, "labels.n"}) == snapshot_labels{{key, "sha256:1"}});
    CHECK(update({}, {"labels"}) == snapshot_labels{{key, "sha256:1"}});
  }
}

TEST_CASE("layers of an image that is delivered are committed snapshots on which others build") {
  bench b;
  REQUIRE(b.applied(b.all.make_remote({"sha256:1", "", {{"l", "1"}}}, {"r", {}, "linux/amd64", 1, 2}, 7)));
  REQUIRE(b.applied(b.all.make_remote({"sha256:2", "sha256:1", {}}, {"r", {}, "linux/amd64", 2, 2}, 7)));
  const auto work = b.prepare("work", "sha256:2").value();
  REQUIRE(b.commit("mine", "work"));
  CHECK(b.all.find("sha256:2")->remote->layers == 2);
  CHECK_FALSE(b.all.find("mine")->remote.has_value());
  CHECK(code(b.remove("sha256:1")) == errc::failed_precondition);
  CHECK(code(b.applied(b.all.make_remote({"sha256:3", "gone", {}}, {"r", {}, "p", 3, 3}, 7))) ==
        errc::not_found);
}

TEST_CASE("layers of the hub are found by their chain id and the parent that they are above") {
  bench b;
  b.layer("base");
  REQUIRE(b.applied(b.all.make_remote({"sha256:1", "", {}}, {"r", {}, "linux/amd64", 1, 2}, 7)));
  REQUIRE(b.applied(b.all.make_remote({"sha256:2", "sha256:1", {}}, {"r", {}, "linux/amd64", 2, 2}, 7)));
  CHECK(b.all.find_remote("sha256:1", "")->name == "sha256:1");
  CHECK(b.all.find_remote("sha256:2", "sha256:1")->name == "sha256:2");
  CHECK(code(b.all.find_remote("sha256:2", "")) == errc::not_found);
  CHECK(code(b.all.find_remote("sha256:2", "base")) == errc::not_found);
  CHECK(code(b.all.find_remote("sha256:3", "sha256:2")) == errc::not_found);
  CHECK(code(b.all.find_remote("base", "")) == errc::not_found);  // that one has files
}

TEST_CASE("layers of the hub may stand above several parents, and then have names of their own") {
  bench b;
  b.layer("ns/1/sha256:1");
  b.layer("ns/2/sha256:1");
  const auto above = [&](const std::string& parent) {
    return b.applied(b.all.make_remote({"sha256:2", parent, {}}, {"r", {}, "linux/amd64", 2, 2}, 7));
  };
  const auto second = b.all.find("ns/2/sha256:1")->id;
  CHECK(above("ns/1/sha256:1")->name == "sha256:2");
  CHECK(above("ns/2/sha256:1")->name == "sha256:2~" + std::to_string(second));
  CHECK(above("")->name == "sha256:2~0");
  for (const auto* parent : {"ns/1/sha256:1", "ns/2/sha256:1", ""}) {
    CHECK(b.all.find_remote("sha256:2", parent)->parent == parent);
    CHECK(code(above(parent)) == errc::already_exists);
  }
  REQUIRE(b.remove("sha256:2"));
  CHECK(b.all.find_remote("sha256:2", "ns/2/sha256:1")->name == "sha256:2~" + std::to_string(second));
  CHECK(above("ns/1/sha256:1")->name == "sha256:2");
}

TEST_CASE("each bound of the snapshots is kept") {
  bench b;
  CHECK(code(b.prepare("")) == errc::invalid_argument);
  CHECK(code(b.prepare(std::string(41, 'n'))) == errc::invalid_argument);
  CHECK(code(b.make(snapshot_kind::active, "l", "", {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}})) ==
        errc::limit_exceeded);
  CHECK(code(b.make(snapshot_kind::active, "l", "", {{"a", std::string(20, 'v')}})) ==
        errc::invalid_argument);  // as containerd's own check says
  b.layer("1");
  b.layer("2", "1");
  b.layer("3", "2");
  REQUIRE(b.prepare("4", "3"));
  REQUIRE(b.commit("five", "4"));
  CHECK(code(b.prepare("5", "five")) == errc::limit_exceeded);
  for (int i = 0; i < 6; ++i) REQUIRE(b.prepare("n" + std::to_string(i)));
  CHECK(code(b.prepare("too many")) == errc::limit_exceeded);
}

TEST_CASE("stored snapshots are loaded in any order") {
  const snapshot_record base{.id = 4, .name = "b", .kind = snapshot_kind::committed};
  const snapshot_record work{.id = 9, .name = "a", .parent = "b", .kind = snapshot_kind::active};
  bench b;
  REQUIRE(b.all.load({work, base}).empty());
  CHECK(code(b.remove("b")) == errc::failed_precondition);
  CHECK(b.prepare("c")->id == 10);
  b.all.skip_ids(20);
  b.all.skip_ids(12);
  CHECK(b.prepare("d")->id == 21);
}

TEST_CASE("stored snapshots that cannot be right are left out with all above them, and no others are") {
  const auto committed = [](std::uint64_t id, const std::string& name, const std::string& parent) {
    return snapshot_record{.id = id, .name = name, .parent = parent, .kind = snapshot_kind::committed};
  };
  const auto active = [](std::uint64_t id, const std::string& name, const std::string& parent) {
    return snapshot_record{.id = id, .name = name, .parent = parent, .kind = snapshot_kind::active};
  };
  bench b;
  const auto refused = b.all.load({active(1, "good work", "good"), committed(2, "good", ""),
                                   committed(3, "orphan", "gone"), active(30, "on orphan", "orphan"),
                                   active(4, "on work", "good work"),  // its parent is not committed
                                   committed(5, "x", "y"), committed(6, "y", "x"), committed(7, "good", "")});
  std::set<std::uint64_t> ids;
  for (const auto& record : refused) ids.insert(record.id);
  CHECK(ids == std::set<std::uint64_t>{3, 30, 4, 5, 6, 7});
  CHECK(b.all.size() == 2);
  CHECK(b.all.find("good")->id == 2);
  CHECK(b.all.find("good work")->parent == "good");
  CHECK(b.prepare("new")->id == 31);
}
