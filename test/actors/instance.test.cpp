#include "actors/node/instance.hpp"

#include <caf/scheduler/test_coordinator.hpp>
#include <catch2/catch.hpp>

#include "actors/errors.hpp"
#include "storage/database.hpp"
#include "test/harness/node/test_image.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t block = default_block_bytes;

/// What the actors around the instance were told.
struct heard {
  std::vector<reads_released> released;
  std::vector<want_blocks> wanted;
  int completions = 0;
  int subscriptions = 0;
  bool bridge_ended = false;
};

fuse_bridge::behavior_type listen_as_bridge(fuse_bridge::pointer self, heard* all) {
  self->attach_functor([all] { all->bridge_ended = true; });
  return {
      [all](const reads_released& released) { all->released.push_back(released); },
      [](read_interrupted) {},
      [](contents_known) {},
      [all](image_complete) { ++all->completions; },
      [](unmount_request request) -> caf::result<unmounted> {
        if (request.when_busy == busy_mount::refuse) return to_caf({errc::busy, "in use"});
        return unmounted{};
      },
  };
}

receiver::behavior_type listen_as_source(receiver::pointer, heard* all) {
  return {
      [](const incoming_toc&) { return verdict{}; },
      [](const incoming_segment&) { return verdict{}; },
      [](const incoming_landmark&) {},
      [](const incoming_progress&) {},
      [](const link_changed&) {},
      [all](const want_blocks& wanted) { all->wanted.push_back(wanted); },
      [all](caf::subscribe_atom, const caf::actor&) { ++all->subscriptions; },
  };
}

struct testing_config : caf::actor_system_config {
  testing_config() { set("scheduler.policy", caf::atom("testing")); }
};

enum class with { source, no_source };
enum class contents { known, on_their_way };

/// One instance over an image of one file of ten blocks; messages and time move by hand.
class instance_fixture {
 public:
  explicit instance_fixture(with how = with::source, fuse_limits limits = {}, contents ids = contents::known)
      : image_and_ids_(one_file()),
        database_(*database::open(folder_.path() / "db")),
        store_(*content_store::open(folder_.path() / "store", *database_, block_geometry{}, 16)),
        system_(config_) {
    if (ids == contents::known) learn();
    if (how == with::source) source = system_.spawn(listen_as_source, &all);
    under_test =
        spawn_instance(system_, {image_.toc, store_.get(), source, system_.spawn(listen_as_bridge, &all),
                                 std::make_shared<session_counters>(), limits});
    run();
  }
  ~instance_fixture() {
    caf::anon_send_exit(under_test, caf::exit_reason::user_shutdown);
    if (source) caf::anon_send_exit(source, caf::exit_reason::user_shutdown);
    run();
    scheduler().clock().cancel_all();
    run();
  }
  instance_fixture(const instance_fixture&) = delete;
  instance_fixture& operator=(const instance_fixture&) = delete;

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  void run() { scheduler().run(); }
  void advance(std::chrono::milliseconds time) {
    scheduler().advance_time(time);
    run();
  }
  template <class Message>
  void tell(Message message) {
    caf::anon_send(under_test, std::move(message));
    run();
  }
  void park(std::uint64_t id, std::uint32_t first, std::uint32_t count = 1) {
    tell(park_read{waiter_id{id}, {0, first, count}, 2, std::uint64_t{first} * block, 100, 1});
  }
  void store_block(std::uint32_t which) {
    const auto bytes = std::string_view(image_.bytes[0]).substr(which * block, block);
    REQUIRE(store_->write(image_.toc->content(0), which, std::as_bytes(std::span(bytes))));
  }
  void learn() { REQUIRE(image_.toc->learn_contents(share(image_and_ids_.second))); }
  void arrive(std::uint32_t which, bool out_of_turn = true) {
    store_block(which);
    tell(
        blocks_ready{std::make_shared<const std::vector<block_run>>(1, block_run{0, which, 1}), out_of_turn});
  }
  instance_status status() {
    caf::scoped_actor self(system_);
    instance_status now;
    auto asked = self->request(under_test, caf::infinite, caf::get_atom_v);
    run();
    asked.receive([&](const instance_status& answer) { now = answer; },
                  [](const caf::error&) { FAIL("no status"); });
    return now;
  }

  heard all;
  receiver source;
  instance under_test;

 private:
  static std::pair<image_builder::built, std::vector<std::byte>> one_file() {
    image_builder builder;
    builder.file("file", patterned_bytes(10 * block, 1));
    return builder.build_tree();
  }
  temporary_folder folder_;
  std::pair<image_builder::built, std::vector<std::byte>> image_and_ids_;
  image_builder::built& image_ = image_and_ids_.first;
  std::unique_ptr<database> database_;
  std::unique_ptr<content_store> store_;
  testing_config config_;
  caf::actor_system system_;
};

}  // namespace

TEST_CASE("an instance asks once for a block that several wait for, and lets all go when it arrives") {
  instance_fixture mount;
  CHECK(mount.all.subscriptions == 1);
  mount.park(1, 9);
  mount.park(2, 9);
  REQUIRE(mount.all.wanted.size() == 1);
  CHECK(mount.all.wanted[0].runs == std::vector<block_run>{{0, 9, 1}});
  CHECK(mount.status().waiting_now == 2);
  mount.advance(250ms);
  mount.arrive(9);
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].waiters == std::vector<waiter_id>{waiter_id{1}, waiter_id{2}});
  CHECK_FALSE(mount.all.released[0].failure);
  const auto status = mount.status();
  CHECK(status.waits == 2);
  CHECK(status.misses == 1);
  CHECK(status.wait_total == 500ms);
  CHECK(status.wait_longest == 250ms);
}

TEST_CASE("what was on its way already when a reader came to wait for it is no miss") {
  instance_fixture mount;
  mount.park(1, 9);
  mount.park(2, 5);
  mount.arrive(9, false);
  mount.arrive(4);  // brought along by a want: nobody waits for it
  mount.arrive(5);
  const auto status = mount.status();
  CHECK(mount.all.released.size() == 2);
  CHECK(status.waits == 2);
  CHECK(status.misses == 1);
}

TEST_CASE("a block that arrives between the look and the parking is not waited for") {
  instance_fixture mount;
  mount.store_block(3);
  mount.park(1, 3);
  REQUIRE(mount.all.released.size() == 1);
  CHECK_FALSE(mount.all.released[0].failure);
  CHECK(mount.all.wanted.empty());
}

TEST_CASE("a want goes a little beyond the missing block and leaves out what is there") {
  instance_fixture mount;
  mount.store_block(2);
  mount.park(1, 0);
  REQUIRE(mount.all.wanted.size() == 1);
  CHECK(mount.all.wanted[0].runs == std::vector<block_run>{{0, 0, 2}, {0, 3, 1}});
}

TEST_CASE("a failed block fails its readers, then at once, and is asked for again after a while") {
  fuse_limits limits;
  limits.failure_remembered = 1000ms;
  instance_fixture mount(with::source, limits);
  mount.park(1, 5);
  mount.tell(blocks_failed{{{0, 5, 1}}, {errc::corrupt, "wrong bytes"}});
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].failure == error{errc::corrupt, "wrong bytes"});
  mount.park(2, 5);
  REQUIRE(mount.all.released.size() == 2);
  CHECK(mount.all.wanted.size() == 1);
  CHECK(mount.status().last_error == "corrupt: wrong bytes");
  CHECK(mount.status().failed_blocks == 1);
  mount.advance(1001ms);
  mount.park(3, 5);
  CHECK(mount.all.wanted.size() == 2);
  mount.arrive(5);
  CHECK(mount.status().failed_blocks == 0);
  CHECK(mount.status().waiting_now == 0);
}

TEST_CASE("when nothing more comes at all, every reader gets the reason, and a later one asks again") {
  instance_fixture mount;
  mount.park(1, 2);
  mount.park(2, 6);
  mount.tell(blocks_failed{{}, {errc::unavailable, "the hub gave up"}});
  std::size_t let_go = 0;
  for (const auto& one : mount.all.released) {
    let_go += one.waiters.size();
    CHECK(one.failure == error{errc::unavailable, "the hub gave up"});
  }
  CHECK(let_go == 2);
  CHECK(mount.status().waiting_now == 0);
  const auto asked = mount.all.wanted.size();
  mount.park(3, 2);
  CHECK(mount.all.wanted.size() == asked + 1);
}

TEST_CASE("a wait ends after the limit without progress, and progress starts the limit again") {
  fuse_limits limits;
  limits.wait_without_progress_max = 10'000ms;
  limits.wait_check_interval = 1'000ms;
  instance_fixture mount(with::source, limits);
  mount.park(1, 0);
  for (int second = 0; second < 9; ++second) mount.advance(1'000ms);
  mount.arrive(7);
  for (int second = 0; second < 9; ++second) mount.advance(1'000ms);
  CHECK(mount.all.released.empty());
  mount.advance(1'000ms);
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].failure->code == errc::timed_out);
  mount.park(2, 0);  // the kernel asks once more
  REQUIRE(mount.all.released.size() == 2);
  CHECK(mount.all.released[1].failure->code == errc::timed_out);
}

TEST_CASE(
    "what readers wait for is asked for again when the link is back, and the status says why they wait") {
  instance_fixture mount;
  mount.park(1, 4);
  mount.tell(link_changed{link_state::down, "connection reset"});
  CHECK(mount.status().waiting.at(0).cause == "the link is down: connection reset");
  mount.tell(link_changed{link_state::up, ""});
  REQUIRE(mount.all.wanted.size() == 2);
  CHECK(mount.all.wanted[1].runs == std::vector<block_run>{{0, 4, 1}});
  CHECK(mount.status().waiting.at(0).path == "file");
}

TEST_CASE("waiters survive the end of a delivery and are served by the next one") {
  instance_fixture mount;
  mount.park(1, 4);
  caf::anon_send_exit(mount.source, caf::exit_reason::user_shutdown);
  mount.run();
  CHECK(mount.status().waiting.at(0).cause == "no delivery of this image is running");
  CHECK(mount.all.released.empty());
  heard next;
  mount.source = mount.under_test->home_system().spawn(listen_as_source, &next);
  mount.tell(mount.source);
  CHECK(next.subscriptions == 1);
  REQUIRE(next.wanted.size() == 1);
  CHECK(next.wanted[0].runs == std::vector<block_run>{{0, 4, 1}});
}

TEST_CASE("readers wait for the contents to be known, and are looked after then") {
  instance_fixture mount(with::source, {}, contents::on_their_way);
  mount.park(1, 4);
  mount.park(2, 5);
  mount.park(3, 6);
  mount.all.wanted.clear();  // they only start a delivery again that has failed
  CHECK(mount.all.released.empty());
  CHECK(mount.status().waiting_now == 3);
  mount.tell(forget_read{waiter_id{3}});
  CHECK(mount.status().waiting_now == 2);
  mount.learn();
  mount.store_block(5);
  mount.tell(contents_known{});
  REQUIRE(mount.all.wanted.size() == 1);
  CHECK(mount.all.wanted[0].runs == std::vector<block_run>{{0, 4, 1}, {0, 6, 2}});
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].waiters == std::vector<waiter_id>{waiter_id{2}});
  mount.arrive(4);
  CHECK(mount.status().waiting_now == 0);
  CHECK(mount.status().waits == 3);
}

TEST_CASE("readers that wait for contents which do not come get the reason, or the limit of time") {
  fuse_limits limits;
  limits.wait_without_progress_max = 2'000ms;
  limits.wait_check_interval = 1'000ms;
  instance_fixture mount(with::source, limits, contents::on_their_way);
  mount.park(1, 4);
  mount.tell(blocks_failed{{}, {errc::unavailable, "the hub gave up"}});
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].failure == error{errc::unavailable, "the hub gave up"});
  mount.all.wanted.clear();
  mount.park(2, 4);
  CHECK(mount.all.wanted.size() == 1);  // which starts the delivery again, once it is time
  mount.tell(blocks_failed{{{0, 4, 1}}, {errc::unavailable, "not yet"}});
  REQUIRE(mount.all.released.size() == 2);
  CHECK(mount.all.released[1].failure == error{errc::unavailable, "not yet"});
  mount.park(3, 5);
  mount.advance(1'000ms);
  mount.advance(1'000ms);
  REQUIRE(mount.all.released.size() == 3);
  CHECK(mount.all.released[2].failure->code == errc::timed_out);
  CHECK(mount.status().waiting_now == 0);
}

TEST_CASE("a block that a complete image lacks fails at once") {
  instance_fixture mount(with::no_source);
  CHECK(mount.all.completions == 1);
  mount.park(1, 0);
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].failure->code == errc::not_found);
  CHECK(mount.status().waiting_now == 0);
}

TEST_CASE("a killed reader is forgotten") {
  instance_fixture mount;
  mount.park(1, 0);
  mount.tell(forget_read{waiter_id{1}});
  CHECK(mount.status().waiting_now == 0);
  mount.arrive(0);
  CHECK(mount.all.released.empty());
}

TEST_CASE("an exit message fails all waiters, then ends the bridge, then the instance") {
  instance_fixture mount;
  mount.park(1, 0);
  caf::anon_send_exit(mount.under_test, caf::exit_reason::user_shutdown);
  mount.run();
  REQUIRE(mount.all.released.size() == 1);
  CHECK(mount.all.released[0].failure->code == errc::cancelled);
  CHECK(mount.all.bridge_ended);
}

TEST_CASE("an unmount is what the bridge makes of it") {
  instance_fixture mount;
  caf::scoped_actor self(mount.under_test->home_system());
  auto refused = self->request(mount.under_test, caf::infinite, unmount_request{});
  mount.run();
  refused.receive([](unmounted) { FAIL("not refused"); },
                  [](const caf::error& failure) { CHECK(from_caf(failure).code == errc::busy); });
  CHECK_FALSE(mount.status().detached);
  auto detached = self->request(mount.under_test, caf::infinite, unmount_request{busy_mount::detach});
  mount.run();
  detached.receive([](unmounted) { SUCCEED(); }, [](const caf::error&) { FAIL("refused"); });
  CHECK(mount.status().detached);
}
