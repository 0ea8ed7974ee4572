// Several processes at the same files of a mount in mode fuse, while one process after the other answers it.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <set>

#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/handed_over_session.hpp"
#include "test/harness/worker_processes.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr int files = 8;
constexpr std::size_t file_bytes = 5'000;
constexpr std::size_t first_letter = 100;  // each worker has a place of its own
constexpr int takeovers = 6;
constexpr int rounds_between = 20;  // of each worker, at least

/// What the workers tell the test, and it them.
struct progress {
  std::array<std::atomic<int>, workers> rounds{};
  std::atomic<int> made{0};
  std::atomic<int> removed{0};
  std::atomic<bool> failed{false};
  std::atomic<bool> over{false};
};

/// The same for this process and its children.
class shared_progress {
 public:
  shared_progress() {
    void* const memory =
        mmap(nullptr, sizeof(progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    all_ = new (memory) progress;
  }
  ~shared_progress() { munmap(all_, sizeof(progress)); }
  shared_progress(const shared_progress&) = delete;
  shared_progress& operator=(const shared_progress&) = delete;

  [[nodiscard]] progress& operator*() const { return *all_; }
  [[nodiscard]] progress* operator->() const { return all_; }

 private:
  progress* all_ = nullptr;
};

/// A file or none under each of these names: those of the first letter to begin with.
path_text any_name(const char* root, std::uint32_t& seed) {
  return in(root, below(seed, 2) == 0 ? "f%d" : "g%d", below(seed, files));
}

/// @returns 0, or what went wrong
int move_one(const char* root, std::uint32_t& seed) {
  const auto from = any_name(root, seed);
  const auto to = any_name(root, seed);
  const unsigned flags = below(seed, 2) == 0 ? RENAME_NOREPLACE : RENAME_EXCHANGE;
  const bool moved = renameat2(AT_FDCWD, from.data(), AT_FDCWD, to.data(), flags) == 0;
  return moved || errno == ENOENT || errno == EEXIST || errno == EINVAL ? 0 : errno;
}

int write_one(const char* root, std::uint32_t& seed, int worker) {
  static std::array<char, file_bytes + 1> bytes;
  const file_descriptor file(open(any_name(root, seed).data(), O_RDWR));
  if (!file) return errno == ENOENT ? 0 : errno;
  const auto letter = static_cast<char>('a' + worker);
  const auto place = first_letter + static_cast<std::size_t>(worker);
  if (pwrite(file.get(), &letter, 1, static_cast<off_t>(place)) != 1) return 101;
  if (pread(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(file_bytes)) return 102;
  return bytes.at(place) == letter ? 0 : 103;
}

int make_and_remove(const char* root, std::uint32_t& seed, progress& all) {
  const auto path = in(root, "new%d", below(seed, 3));
  const file_descriptor file(open(path.data(), O_CREAT | O_EXCL | O_WRONLY, 0600));
  if (!file && errno != EEXIST) return errno;
  if (file) ++all.made;
  if (unlink(path.data()) == 0)
    ++all.removed;
  else if (errno != ENOENT)
    return errno;
  return 0;
}

/// A file that has lost its name is there as long as it is open.
int use_held(int held, int round) {
  int read_back = -1;
  if (pwrite(held, &round, sizeof round, 0) != sizeof round) return 111;
  if (pread(held, &read_back, sizeof read_back, 0) != sizeof read_back) return 112;
  return read_back == round ? 0 : 113;
}

int work_at(const char* root, int worker, progress& all) {
  auto seed = static_cast<std::uint32_t>(worker + 1);
  const auto own = in(root, "own%d", worker);
  const file_descriptor held(open(own.data(), O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!held || unlink(own.data()) != 0) return 120;
  for (int round = 1; !all.over; ++round) {
    int wrong = move_one(root, seed);
    if (wrong == 0) wrong = write_one(root, seed, worker);
    if (wrong == 0) wrong = make_and_remove(root, seed, all);
    if (wrong == 0) wrong = use_held(held.get(), round);
    if (wrong != 0) return wrong;
    all.rounds.at(static_cast<std::size_t>(worker)) = round;
  }
  return 0;
}

/// Until each worker has come on, or one has failed.
bool await_rounds(const progress& all) {
  std::array<int, workers> before{};
  std::copy(all.rounds.begin(), all.rounds.end(), before.begin());
  return eventually([&] {
    return all.failed || std::equal(all.rounds.begin(), all.rounds.end(), before.begin(),
                                    [](int now, int then) { return now >= then + rounds_between; });
  });
}

/// But for the letters.
std::string plain(std::string bytes) {
  if (bytes.size() == file_bytes) bytes.replace(first_letter, workers, workers, '-');
  return bytes;
}

}  // namespace

TEST_CASE("processes that change the same files notice nothing of those that answer, one after the other") {
  if (!mounting_is_possible()) return;
  const auto threads = GENERATE(1U, 4U);
  CAPTURE(threads);
  changing_mount mount;
  mount.loop_threads = threads;
  handed_over_session session(mount.folder.path() / "root", mount.core(session_life::fresh));
  std::multiset<std::string> expected;
  for (std::uint32_t i = 0; i < files; ++i) {
    const auto bytes = patterned_bytes(file_bytes, i);
    std::ofstream(session.point() / ("f" + std::to_string(i)), std::ios::binary) << bytes;
    expected.insert(plain(bytes));
  }
  if (!session.can_go_on()) return;
  const shared_progress all;
  const auto root = session.point().string();
  const auto work = [&](int worker) {
    const int wrong = work_at(root.c_str(), worker, *all);
    if (wrong != 0) all->failed = true;
    return wrong;
  };
  worker_processes at_work(work);
  for (int takeover = 0; takeover < takeovers; ++takeover) {
    REQUIRE(await_rounds(*all));
    session.leave();
    session.go_on(mount.core(session_life::taken_over));
  }
  CHECK(await_rounds(*all));
  all->over = true;
  at_work.check_ends();

  std::multiset<std::string> found;
  int left = 0;
  for (const auto& entry : fs::directory_iterator(session.point())) {
    const auto name = entry.path().filename().string();
    if (name.starts_with("new")) ++left;
    if (name.size() == 2) found.insert(plain(read_file(entry.path()).value_or("unreadable")));
  }
  CHECK(found == expected);
  CHECK(all->made > 0);
  CHECK(left == all->made - all->removed);
}
