// Programs that change a mount while its node dies: what they were told has succeeded is there, once.
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <set>

#include "storage/posix_file.hpp"
#include "test/e2e/shell_image.hpp"
#include "test/harness/worker_processes.hpp"

namespace firstlight {
namespace {

constexpr int deaths = 3;
constexpr int rounds_between = 20;        // of each writer at least, before each death
constexpr int rounds_ahead = 400;         // of the furthest one then: no writer runs away
constexpr int replaced_files = 4;         // of the image, the first ones
constexpr int removed_files = 16;         // of the image, the others
constexpr int first_of_image = 100;       // data/f100
constexpr int rounds_in_one_opening = 8;  // of what is appended to

/// What each worker does.
enum writer : std::uint8_t { makes, replaces, removes, appends };

bool put(int file, int number) {
  return write(file, &number, sizeof number) == sizeof number;
}

/// All of these return 0, or what went wrong.
int make(const char* path, int number) {
  const file_descriptor file(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  if (!file) return errno;
  return put(file.get(), number) ? 0 : 101;
}

int replace(const char* root, int round) {
  const auto made = in(root, "next%d", round);
  if (const int wrong = make(made.data(), round); wrong != 0) return wrong;
  const auto name = in(root, "data/f%d", first_of_image + round % replaced_files);
  return rename(made.data(), name.data()) == 0 ? 0 : errno;
}

int remove_one(const char* root, int round) {
  auto name = in(root, "data/f%d", first_of_image + replaced_files + round);
  if (round >= removed_files) {
    name = in(root, "passing%d", round);
    if (const int wrong = make(name.data(), round); wrong != 0) return wrong;
  }
  return unlink(name.data()) == 0 ? 0 : errno;
}

int append(const char* root, int round, file_descriptor& file) {
  if (round % rounds_in_one_opening == 0) {
    file = {};
    file = file_descriptor(open(in(root, "appended", 0).data(), O_WRONLY | O_CREAT | O_APPEND, 0600));
  }
  if (!file) return errno;
  return put(file.get(), round) ? 0 : 102;
}

/// Waits until the test lets it: as many rounds as the file has bytes, and no more once that has gone.
bool may_go_on(const char* allowance, int round) {
  struct stat allowed {};
  while (stat(allowance, &allowed) == 0) {
    if (round < allowed.st_size) return true;
    poll(nullptr, 0, 1);
  }
  return false;
}

/// Logs each round that was told to have succeeded.
int work_at(const char* root, const char* logs, int worker) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close_range(STDERR_FILENO + 1, ~0U, 0);  // the test's: connections of the relay must end when it ends them
  const file_descriptor log(open(in(logs, "%d", worker).data(), O_WRONLY | O_APPEND));
  if (!log) return 120;
  const auto allowance = in(logs, "allowance", 0);
  file_descriptor appended;
  for (int round = 0; may_go_on(allowance.data(), round); ++round) {
    int wrong = 0;
    switch (worker) {
      case makes:
        wrong = make(in(root, "made/%d", round).data(), round);
        break;
      case replaces:
        wrong = replace(root, round);
        break;
      case removes:
        wrong = remove_one(root, round);
        break;
      default:
        wrong = append(root, round, appended);
        break;
    }
    if (wrong != 0) return wrong;
    if (!put(log.get(), round)) return 121;
  }
  return 0;
}

/// As the writers put them.
std::string as_put(int first, int end) {
  std::string bytes;
  for (int number = first; number < end; ++number)
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  return bytes;
}

/// What the writers have logged, and how far they may go on. Outside the mount.
class writer_logs {
 public:
  explicit writer_logs(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    std::ofstream(allowance()).flush();
    for (int worker = 0; worker < workers; ++worker) std::ofstream(log_of(worker)).flush();
  }
  [[nodiscard]] std::string folder() const { return folder_.string(); }
  [[nodiscard]] int rounds(int worker) const {
    return static_cast<int>(std::filesystem::file_size(log_of(worker)) / sizeof(int));
  }
  [[nodiscard]] std::string bytes(int worker) const { return text_of(log_of(worker)); }
  /// Lets all go on, and waits until each has done so.
  [[nodiscard]] bool await_rounds() const {
    std::array<int, workers> before{};
    for (int worker = 0; worker < workers; ++worker)
      before.at(static_cast<std::size_t>(worker)) = rounds(worker);
    const auto furthest = *std::max_element(before.begin(), before.end());
    std::filesystem::resize_file(allowance(), static_cast<std::uintmax_t>(furthest + rounds_ahead));
    return eventually([&] {
      int worker = 0;
      return std::all_of(before.begin(), before.end(),
                         [&](int then) { return rounds(worker++) >= then + rounds_between; });
    });
  }
  void end() const { std::filesystem::remove(allowance()); }

 private:
  [[nodiscard]] std::filesystem::path allowance() const { return folder_ / "allowance"; }
  [[nodiscard]] std::filesystem::path log_of(int worker) const { return folder_ / std::to_string(worker); }

  std::filesystem::path folder_;
};

std::multiset<std::string> names_in(const std::filesystem::path& folder) {
  std::multiset<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  return names;
}

void check_tree(const std::filesystem::path& root, const writer_logs& logs) {
  CHECK(names_in(root) == std::multiset<std::string>{"data", "made", "appended"});

  std::multiset<std::string> made;
  int wrong = 0;
  for (int round = 0; round < logs.rounds(makes); ++round) {
    const auto name = std::to_string(round);
    made.insert(name);
    if (text_of(root / "made" / name) != as_put(round, round + 1)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(names_in(root / "made") == made);

  std::multiset<std::string> replaced;
  const auto rounds = logs.rounds(replaces);
  for (int round = rounds - replaced_files; round < rounds; ++round) {
    const auto name = "f" + std::to_string(first_of_image + round % replaced_files);
    replaced.insert(name);
    CHECK(text_of(root / "data" / name) == as_put(round, round + 1));
  }
  CHECK(names_in(root / "data") == replaced);

  CHECK(text_of(root / "appended") == logs.bytes(appends));
}

}  // namespace

TEST_CASE("what programs change while their node dies again and again is there once, and nothing else") {
  if (!cluster::possible()) return;
  const auto [mode, passthrough] = GENERATE(table<std::string, std::string>(
      {{"overlay", "true"}, {"hybrid", "true"}, {"fuse", "true"}, {"fuse", "false"}}));
  CAPTURE(mode, passthrough);
  std::string root;
  std::string log_folder;
  const auto work = [&](int worker) { return work_at(root.c_str(), log_folder.c_str(), worker); };
  std::optional<worker_processes> writers;  // they end with the mount, if the test does before
  cluster all({.node = {"mount_mode=" + mode, "fuse.passthrough=" + passthrough}});
  const auto image = make_streamed_image(all.folder() / "streamed",
                                         {.files = replaced_files + removed_files, .file_bytes = 4'000});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  check_complete(all, "streamed:1");
  std::filesystem::create_directory(target / "made");
  const writer_logs logs(all.folder() / "logs");
  root = target.string();
  log_folder = logs.folder();
  writers.emplace(work);
  bool came_on = true;
  for (int death = 0; death < deaths && came_on; ++death) {
    came_on = logs.await_rounds();
    all.kill_node();
    all.start_node();
  }
  CHECK(came_on);
  CHECK(logs.await_rounds());
  logs.end();
  writers->check_ends();

  for (int worker = 0; worker < workers; ++worker)
    REQUIRE(logs.bytes(worker) == as_put(0, logs.rounds(worker)));
  REQUIRE(logs.rounds(removes) >= removed_files);
  check_tree(target, logs);
  REQUIRE(eventually([&] { return all.node_status()["mounts"].size() == 1; }));
  CHECK(all.node_status()["mounts"][0]["mode"] == mode);
  check_good(all.on_node({"umount", "streamed"}));
  check_tree(all.mount("streamed:1", "streamed", mount_kind::writable), logs);
}

}  // namespace firstlight
