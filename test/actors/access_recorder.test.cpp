// An access_recorder from several threads at once. Needs no actor.
#include "actors/access_recorder.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <thread>

using namespace firstlight;

namespace {

constexpr std::uint32_t contents = 50;
constexpr std::uint32_t blocks = 8;

/// What a thread of a mount tells while it serves reads.
void tell(access_recorder& recorder, std::uint32_t thread, std::uint32_t round) {
  const auto content = round % contents;
  const auto now = std::chrono::steady_clock::now();
  recorder.opened(content, now);
  recorder.read({content, thread, 1}, blocks);
  recorder.waits();
  if (round % 3 == 0)
    recorder.gave_up();
  else
    recorder.waited({content, thread + blocks / 2, 1}, blocks, now);
  recorder.goes_on();
}

/// The same of what other mounts have too.
void tell_shared(access_recorder& recorder, std::uint32_t thread, std::uint32_t round) {
  const auto content = round % contents;
  recorder.follow_opens();
  recorder.read_if_opened({content, thread, 1}, blocks);
  recorder.waits_if_opened(content);
  if (round % 3 == 0)
    recorder.gave_up_if_opened(content);
  else
    recorder.waited_if_opened({content, thread + blocks / 2, 1}, blocks, std::chrono::steady_clock::now());
  if (round % 64 == 0) recorder.miss_opens();
}

/// No file and no block twice.
void check_once(const std::vector<recorded_content>& all) {
  std::set<std::uint32_t> seen;
  for (const auto& one : all) {
    CHECK(one.content < contents);
    CHECK(seen.insert(one.content).second);
    std::uint32_t noted = 0;
    for (const auto& run : one.runs) noted += run.count;
    CHECK(noted <= blocks);
  }
}

}  // namespace

TEST_CASE("threads note what is read while recordings begin, are looked at and finish") {
  constexpr int recordings = 60;
  access_recorder recorder(recording_limits{});
  std::atomic<int> attached{0};
  std::atomic<int> detached{0};
  std::atomic<bool> over{false};
  recorder.on_begin([&] { ++attached; });
  std::vector<std::thread> readers;
  for (std::uint32_t thread = 0; thread < blocks / 2; ++thread)
    readers.emplace_back([&, thread] {
      for (std::uint32_t round = thread; !over; ++round) {
        tell(recorder, thread, round);
        tell_shared(recorder, thread, round);
      }
    });
  for (int i = 1; i <= recordings; ++i) {
    const std::chrono::nanoseconds started(i);
    const auto detail = i % 2 == 0 ? recorded_detail::blocks : recorded_detail::files;
    CHECK(recorder.begin(started, detail));
    recorder.on_finish([&] { ++detached; });
    CHECK_FALSE(recorder.begin(started, detail));
    CHECK(recorder.active());
    while (recorder.noted() < contents) std::this_thread::yield();
    check_once(recorder.so_far());
    CHECK_FALSE(recorder.settled(std::chrono::steady_clock::now()));
    CHECK(recorder.started() == started);
    check_once(recorder.finish());
    CHECK_FALSE(recorder.active());
  }
  over = true;
  for (auto& reader : readers) reader.join();
  CHECK(attached == recordings);
  CHECK(detached == recordings);
}

TEST_CASE("a recording that is finished while it begins does not stay active") {
  constexpr int recordings = 200;
  access_recorder recorder(recording_limits{});
  for (int i = 1; i <= recordings; ++i) {
    const std::chrono::nanoseconds started(i);
    std::thread beginner([&] { recorder.begin(started, recorded_detail::blocks); });
    while (recorder.started() != started) std::this_thread::yield();
    static_cast<void>(recorder.finish());
    beginner.join();
    REQUIRE_FALSE(recorder.active());
  }
}
