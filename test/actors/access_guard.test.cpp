#include "actors/hub/access_guard.hpp"

#include <catch2/catch.hpp>

#include "test/harness/node/actor_stage.hpp"

using namespace firstlight;
using std::chrono::seconds;

namespace {

shared_login login(const std::string& user, const std::string& password = "p") {
  return std::make_shared<const registry_login>(registry_login{user, secret_text(password), {}, {}});
}

/// A guard whose registry says what the test says.
struct guard_bench {
  access_options options;
  result<void> says{};
  std::vector<std::string> asked;
  actor_stage stage;
  access_guard guard;

  std::vector<std::string> kept;  ///< nodes

  explicit guard_bench(std::vector<kept_delivery> before = {}) {
    const auto ask = [this](const image_reference& image, const shared_login& by) -> result<void> {
      asked.push_back(image.text() + " by " + (by ? by->user : "nobody"));
      return says;
    };
    const auto keep = [this](const delivery_allowed& allowed) { kept.push_back(allowed.node); };
    guard = stage.keep(stage.system().spawn(
        make_access_guard, access_guard_tools{options, ask, stage.workers(), keep, std::move(before)}));
  }
  ~guard_bench() { guard = nullptr; }

  actor_stage::answer<access_granted> begin(const shared_login& by, const std::string& image = "host/app:1",
                                            std::optional<toc_id> going_on = {}) {
    return stage.ask<access_granted>(
        guard, check_access{parse_image_reference(image).value(), by, "node", going_on});
  }
  /// The error, or "" if it is granted.
  std::string check(const shared_login& by, const std::string& image = "host/app:1",
                    std::optional<toc_id> going_on = {}) {
    auto answer = begin(by, image, going_on);
    stage.run();
    REQUIRE(*answer);
    return **answer ? "" : to_string((*answer)->error());
  }
};

}  // namespace

TEST_CASE("a registry is asked once for each login and image, until its answer is too old") {
  guard_bench bench;
  CHECK(bench.check(login("ann")).empty());
  CHECK(bench.check(login("ann")).empty());
  CHECK(bench.asked.size() == 1);
  CHECK(bench.check(login("ann", "other")).empty());
  CHECK(bench.check({}).empty());
  CHECK(bench.check(login("ann"), "host/app:2").empty());
  CHECK(bench.asked.size() == 4);
  bench.stage.pass(seconds(299));
  CHECK(bench.check(login("ann")).empty());
  CHECK(bench.asked.size() == 4);
  bench.stage.pass(seconds(1));
  CHECK(bench.check(login("ann")).empty());
  CHECK(bench.asked.size() == 5);
}

TEST_CASE("a registry's no is passed on, and asked again sooner than its yes") {
  guard_bench bench;
  bench.says = fail(errc::denied, "log in");
  CHECK(bench.check({}) == "denied: log in");
  bench.says = {};
  CHECK(bench.check({}) == "denied: log in");
  bench.stage.pass(seconds(10));
  CHECK(bench.check({}).empty());
  CHECK(bench.asked.size() == 2);
}

TEST_CASE("rights that are taken away end with the time that a yes counts") {
  guard_bench bench;
  CHECK(bench.check(login("ann")).empty());
  bench.says = fail(errc::denied, "no more");
  CHECK(bench.check(login("ann")).empty());
  bench.stage.pass(seconds(300));
  CHECK(bench.check(login("ann")) == "denied: no more");
}

TEST_CASE("while a registry is away its last yes counts for a longer time, and nothing else does") {
  guard_bench bench;
  CHECK(bench.check(login("ann")).empty());
  bench.says = fail(errc::unavailable, "connection refused");
  bench.stage.pass(seconds(3599));
  CHECK(bench.check(login("ann")).empty());
  CHECK(bench.check({}) == "unavailable: whether this node may read it cannot be asked: connection refused");
  bench.stage.pass(seconds(1));
  CHECK_FALSE(bench.check(login("ann")).empty());
}

TEST_CASE("while a registry is away a yes for one tag or digest counts for all of its repository") {
  guard_bench bench;
  const auto pinned = "@sha256:" + std::string(64, 'a');
  CHECK(bench.check(login("ann"), "host:5000/team/app:1" + pinned).empty());
  bench.says = fail(errc::timed_out, "no answer");
  CHECK(bench.check(login("ann"), "host:5000/team/app:1").empty());
  CHECK(bench.check(login("ann"), "host:5000/team/app" + pinned).empty());
  CHECK_FALSE(bench.check(login("ann"), "host:5000/team/other:1").empty());
  CHECK_FALSE(bench.check(login("bob"), "host:5000/team/app:1").empty());
  bench.says = fail(errc::denied, "no more");
  CHECK_FALSE(bench.check(login("ann"), "host:5000/team/app:2").empty());
  bench.says = fail(errc::timed_out, "no answer");
  CHECK_FALSE(bench.check(login("ann"), "host:5000/team/app:3").empty());
}

TEST_CASE("who asks a registry with a long queue does not keep others waiting for theirs") {
  guard_bench bench;
  std::vector<actor_stage::answer<access_granted>> answers;
  for (const std::string tag : {"1", "2", "3"}) answers.push_back(bench.begin({}, "slow.example/app:" + tag));
  answers.push_back(bench.begin({}, "other.example/app:1"));
  bench.stage.run();
  for (const auto& one : answers) CHECK((*one && **one));
  REQUIRE(bench.asked.size() == 4);
  CHECK(bench.asked[3].starts_with("slow.example/app:3"));
}

TEST_CASE("an answer that is neither yes nor no is an error and is not remembered") {
  guard_bench bench;
  bench.says = fail(errc::protocol, "teapot");
  CHECK(bench.check({}) == "unavailable: whether this node may read it cannot be asked: teapot");
  bench.says = {};
  CHECK(bench.check({}).empty());
}

TEST_CASE("those who ask the same at the same time wait for one answer") {
  guard_bench bench;
  auto one = bench.begin({});
  auto two = bench.begin({});
  bench.stage.run();
  CHECK(bench.asked.size() == 1);
  REQUIRE((*one && *two));
  CHECK((one->value() && two->value()));
}

TEST_CASE("a delivery that has begun may go on without its login, to its own node and for a while") {
  guard_bench bench;
  toc_id toc;
  toc.value.bytes[0] = std::byte{1};
  bench.stage.keep(bench.stage.system().spawn([&](caf::event_based_actor* self) {
    self->send(bench.guard, delivery_allowed{"node", toc});
    self->send(bench.guard, delivery_allowed{"another", toc_id{}});
  }));
  bench.stage.run();
  bench.says = fail(errc::denied, "log in");
  CHECK(bench.check({}, "host/app:1", toc).empty());
  CHECK(bench.check({}, "host/app:1", toc_id{}) == "denied: log in");
  CHECK(bench.check({}) == "denied: log in");
  CHECK(bench.kept == std::vector<std::string>{"node", "another"});
  bench.stage.pass(std::chrono::hours(24));
  CHECK(bench.check({}, "host/app:1", toc) == "denied: log in");
}

TEST_CASE("a delivery that an earlier process has allowed may go on until its time is over") {
  toc_id toc;
  toc.value.bytes[0] = std::byte{1};
  guard_bench bench({{{"node", toc}, std::chrono::hours(23)}});
  bench.says = fail(errc::denied, "log in");
  CHECK(bench.check({}, "host/app:1", toc).empty());
  bench.stage.pass(std::chrono::minutes(59));
  caf::anon_send(bench.guard, delivery_allowed{"node", toc});  // going on does not prolong it
  CHECK(bench.check({}, "host/app:1", toc).empty());
  bench.stage.pass(std::chrono::minutes(1));
  CHECK(bench.check({}, "host/app:1", toc) == "denied: log in");
}
