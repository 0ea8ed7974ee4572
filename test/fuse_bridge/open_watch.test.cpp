#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/syscall.h>

#include <cstdio>

#include "fuse_bridge/tracing/open_watch.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/call_watch.hpp"
#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

/// A file system of its own, whose opens are noted.
struct watched_folder {
  temporary_folder folder;
  std::shared_ptr<const toc_view> toc;
  std::shared_ptr<access_recorder> recorder = std::make_shared<access_recorder>(
      std::chrono::nanoseconds(1), recorded_detail::blocks, recording_limits{});
  std::unique_ptr<open_watch> opens;

  watched_folder() {
    image_builder builder;
    builder.file("file", "of the image");
    toc = builder.build().toc;
    REQUIRE(::mount("none", folder.path().c_str(), "tmpfs", 0, nullptr) == 0);
    auto started = open_watch::start();
    REQUIRE(started);
    opens = std::move(*started);
    opens->watch({folder.path(), {}, toc}, recorder, [](const error& why) { FAIL(to_string(why)); });
  }
  ~watched_folder() {
    static_cast<void>(recorder->finish());
    opens.reset();
    umount2(folder.path().c_str(), MNT_DETACH);
  }
  watched_folder(const watched_folder&) = delete;
  watched_folder& operator=(const watched_folder&) = delete;

  /// Another process opens "file" and so many others.
  void open_files(unsigned others) const {
    child_process opener([&] {
      char name[512];
      const auto* const root = folder.path().c_str();
      for (unsigned i = 0; i <= others; ++i) {
        if (i == 0)
          std::snprintf(name, sizeof name, "%s/file", root);
        else
          std::snprintf(name, sizeof name, "%s/other%u", root, i);
        const int file = ::open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0) return 1;
        ::close(file);
      }
      return 0;
    });
    std::optional<int> end;
    REQUIRE(eventually([&] { return (end = opener.ended()).has_value(); }));
    REQUIRE(end == 0);
  }
};

bool asks_for_unlimited(const test::watched_call& call) {
  return call.number == SYS_fanotify_init && (call.arguments[0] & FAN_UNLIMITED_QUEUE) != 0;
}

unsigned kept_by_kernel() {
  unsigned count = 16'384;
  std::ifstream("/proc/sys/fs/fanotify/max_queued_events") >> count;
  return count;
}

}  // namespace

TEST_CASE("opens wait for the watch without a limit, where the kernel lets it ask for that") {
  if (!mounting_is_possible()) return;
  const int error_number = GENERATE(0, EPERM);
  std::atomic<int> asked{0};
  const auto judge = [&](const test::watched_call& call) {
    if (!asks_for_unlimited(call)) return 0;
    ++asked;
    return error_number;
  };
  const bool watched = test::watch_calls({SYS_fanotify_init}, judge, [&] {
    const watched_folder folder;
    folder.open_files(0);
    CHECK(eventually([&] { return folder.recorder->noted() == 1; }));
    CHECK(folder.recorder->follows_opens());
  });
  if (!watched) return test::note_skipped("system calls cannot be watched here (seccomp)");
  CHECK(asked == 1);
}

TEST_CASE("a file that is not the image's is looked at once, however often it is opened") {
  if (!mounting_is_possible()) return;
  std::atomic<bool> counts{false};
  std::atomic<bool> idle{false};
  std::atomic<int> looked_at{0};
  std::atomic<int> ignored{0};
  const auto judge = [&](const test::watched_call& call) {
    idle = call.number == SYS_epoll_wait;
    if (counts && !idle) ++(call.number == SYS_fanotify_mark ? ignored : looked_at);
    return 0;
  };
  const std::vector<long> numbers{SYS_readlink, SYS_fanotify_mark, SYS_epoll_wait};
  const bool watched = test::watch_calls(numbers, judge, [&] {
    const watched_folder folder;
    counts = true;
    const auto all_ignored = [&](int count) { return eventually([&] { return ignored == count && idle; }); };
    folder.open_files(1);
    CHECK(all_ignored(1));  // the other one
    folder.open_files(1);
    CHECK(all_ignored(2));  // the image's own, at its second time
    CHECK(looked_at == 3);
    folder.open_files(2);  // one more other, behind those that are ignored
    CHECK(all_ignored(3));
    CHECK(looked_at == 4);
    CHECK(folder.recorder->noted() == 1);
    counts = false;
  });
  if (!watched) test::note_skipped("system calls cannot be watched here (seccomp)");
}

TEST_CASE("a recorder is told when opens are missed") {
  if (!mounting_is_possible()) return;
  std::atomic<bool> reads{false};
  const auto judge = [&](const test::watched_call& call) {
    if (call.number == SYS_fanotify_init) return asks_for_unlimited(call) ? EPERM : 0;
    return reads ? 0 : EINTR;  // the watch does not come to read
  };
  const bool watched = test::watch_calls({SYS_fanotify_init, SYS_epoll_wait}, judge, [&] {
    const watched_folder folder;
    std::shared_ptr<void> held(nullptr, [&](void*) { reads = true; });
    folder.open_files(kept_by_kernel() + 100);
    CHECK(folder.recorder->follows_opens());
    held.reset();
    CHECK(eventually([&] { return !folder.recorder->follows_opens(); }));
  });
  if (!watched) test::note_skipped("system calls cannot be watched here (seccomp)");
}
