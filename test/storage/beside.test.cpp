#include "storage/beside.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>
#include <memory>
#include <stdexcept>
#include <thread>

using namespace firstlight;

namespace {

/// Keeps every helper busy until it goes.
class busy_helpers {
 public:
  busy_helpers() {
    for (auto& one : held_)
      one.reset(new held(beside([this] {  // it cannot be moved, so not make_unique
        all_.count_down();
        go_.wait();
        return true;
      })));
    all_.wait();
  }
  ~busy_helpers() { go_.count_down(); }
  busy_helpers(const busy_helpers&) = delete;
  busy_helpers& operator=(const busy_helpers&) = delete;

 private:
  using held = beside_outcome<bool>;
  static constexpr int count = 2;
  std::latch all_{count};
  std::latch go_{1};
  std::unique_ptr<held> held_[count];
};

}  // namespace

TEST_CASE("work beside its caller gives its outcome") {
  int done = 0;
  auto first = beside([&] { return ++done; });
  CHECK(first.get() == 1);
  CHECK(done == 1);
}

TEST_CASE("what the work throws comes out") {
  auto failing = beside([]() -> int { throw std::runtime_error("no"); });
  CHECK_THROWS_WITH(failing.get(), "no");
}

TEST_CASE("a helper does the work while its caller waits for something else") {
  std::latch done(1);
  std::thread::id by;
  auto outcome = beside([&] {
    by = std::this_thread::get_id();
    done.count_down();
    return true;
  });
  done.wait();
  CHECK(outcome.get());
  CHECK(by != std::this_thread::get_id());
}

TEST_CASE("the caller does it when all helpers are busy, and only once") {
  std::thread::id by;
  int done = 0;
  {
    const busy_helpers busy;
    auto outcome = beside([&] {
      ++done;
      by = std::this_thread::get_id();
      return done;
    });
    CHECK(outcome.get() == 1);
    CHECK(by == std::this_thread::get_id());
  }
  auto later = beside([] { return 1; });  // a helper has passed the work by
  CHECK(later.get() == 1);
  CHECK(done == 1);
}

TEST_CASE("work that nobody asks for has ended, or never begins, when its caller goes on") {
  int done = 0;
  {
    const busy_helpers busy;
    static_cast<void>(beside([&] { return ++done; }));
  }
  CHECK(beside([] { return true; }).get());
  CHECK(done == 0);
  std::atomic<int> begun = 0;
  std::atomic<int> ended = 0;
  int differing = 0;
  for (int i = 0; i < 1000; ++i) {
    {
      const auto outcome = beside([&] {
        ++begun;
        std::this_thread::yield();
        return ++ended;
      });
      std::this_thread::yield();
    }
    differing += begun == ended ? 0 : 1;
  }
  CHECK(differing == 0);
}
