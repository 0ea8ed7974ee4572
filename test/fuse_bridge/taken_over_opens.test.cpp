// Open files of a session that one process after the other answers, where the kernel may have backing files.
#include <fcntl.h>

#include <future>

#include "test/fuse_bridge/changing_mount.hpp"
#include "test/fuse_bridge/handed_over_session.hpp"
#include "test/fuse_bridge/taken_requests.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

/// A session with a file "made" that has contents of its own.
struct open_bench {
  open_bench() {
    // The first close of a mount asks, too.
    std::ofstream(made) << "text";
    // What the kernel does not know after that it would ask for at the next open.
    REQUIRE(std::filesystem::file_size(made) == 4);
  }
  [[nodiscard]] file_descriptor open(int flags) const {
    file_descriptor file(::open(made.c_str(), flags | O_CLOEXEC));
    INFO("errno " << errno);
    REQUIRE(file);
    return file;
  }
  /// Whether opens are counted and another process can go on; says so if not.
  [[nodiscard]] bool can_go_on() {
    if (mount.counters->opens_through + mount.counters->opens_by_fuse > 0) return session.can_go_on();
    test::note_skipped("this kernel has no FUSE passthrough");
    return false;
  }
  /// What a process notes that dies before it answers the kernel.
  [[nodiscard]] std::unique_ptr<backing_files> table() const {
    return *backing_files::open_table(-1, mount.opens(), std::make_shared<session_counters>());
  }
  /// The table becomes one of an earlier version.
  void make_table_earlier() const {
    constexpr std::size_t row_bytes = 32;
    const auto now = read_file(mount.opens());
    REQUIRE(now);
    std::string before;
    for (auto row = row_bytes; row + row_bytes <= now->size(); row += row_bytes) {
      if (now->compare(row, 8, std::string(8, '\0')) == 0) continue;  // a free place
      before += now->substr(row + 8, 8) + std::string("\1\0\0\0", 4) + now->substr(row + 16, 4);
    }
    REQUIRE_FALSE(before.empty());
    std::ofstream(backing_files::earlier_table(mount.opens()), std::ios::binary) << before;
    REQUIRE(std::filesystem::remove(mount.opens()));
  }
  /// Whether the table says so soon.
  [[nodiscard]] bool nothing_is_open() const {
    return eventually([&] {
      const auto bytes = read_file(mount.opens());
      return bytes && bytes->find_first_not_of('\0', /*behind the first row=*/32) == std::string::npos;
    });
  }
  /// The next request that is not about a file's end of an earlier process.
  [[nodiscard]] fuse_in_header take_open() const {
    auto request = take_request(session.device());
    while (request.opcode == FUSE_RELEASE) request = take_request(session.device());
    REQUIRE(request.opcode == FUSE_OPEN);
    return request;
  }

  changing_mount mount{.counts_opens = true};
  handed_over_session session{mount.folder.path() / "root", mount.core(session_life::fresh)};
  std::filesystem::path made = session.point() / "made";
};

std::string start_of(const file_descriptor& file) {
  std::string text(4, '\0');
  REQUIRE(pread(file.get(), text.data(), text.size(), 0) == 4);
  return text;
}

}  // namespace

TEST_CASE("an open that a dead process has noted and not answered is open once") {
  if (!mounting_is_possible()) return;
  open_bench bench;
  if (!bench.can_go_on()) return;
  REQUIRE(bench.nothing_is_open());
  bench.session.end();
  auto opened = std::async(std::launch::async,
                           [&] { return file_descriptor(::open(bench.made.c_str(), O_RDONLY | O_CLOEXEC)); });
  const auto request = bench.take_open();
  bench.table()->open({request.unique, request.nodeid}, [] { return file_descriptor{}; });
  bench.session.go_on(bench.mount.core(session_life::taken_over));
  auto file = opened.get();
  REQUIRE(file);
  CHECK(start_of(file) == "text");
  file = {};
  CHECK(bench.nothing_is_open());
  CHECK(start_of(bench.open(O_RDWR)) == "text");
}

TEST_CASE("a close that a dead process has carried out and not answered closes no other open of the file") {
  if (!mounting_is_possible()) return;
  open_bench bench;
  auto stays = bench.open(O_RDWR);
  auto goes = bench.open(O_RDONLY);
  if (!bench.can_go_on()) return;
  bench.session.end();
  goes = {};
  const auto message = take_message(bench.session.device());
  fuse_release_in release{};
  REQUIRE(header_of(message).opcode == FUSE_RELEASE);
  REQUIRE(message.size() >= sizeof(fuse_in_header) + sizeof release);
  std::memcpy(&release, message.data() + sizeof(fuse_in_header), sizeof release);
  bench.table()->close(release.fh);
  bench.session.go_on(bench.mount.core(session_life::taken_over));
  auto newcomer = bench.open(O_RDWR);
  REQUIRE(pwrite(newcomer.get(), "T", 1, 0) == 1);
  CHECK(start_of(stays) == "Text");
  stays = {};
  newcomer = {};
  CHECK(bench.nothing_is_open());
}

TEST_CASE("a session keeps its backing files when the next process has passthrough turned off") {
  if (!mounting_is_possible()) return;
  open_bench bench;
  const auto stays = bench.open(O_RDWR);
  if (!bench.can_go_on()) return;
  const auto through = bench.mount.counters->opens_through.load();
  bench.session.leave();
  bench.mount.passthrough = false;
  bench.session.go_on(bench.mount.core(session_life::taken_over));
  const auto newcomer = bench.open(O_RDWR);
  REQUIRE(pwrite(newcomer.get(), "T", 1, 0) == 1);
  CHECK(start_of(stays) == "Text");
  if (through > 0) CHECK(bench.mount.counters->opens_through > through);
}

TEST_CASE("a session that an earlier version has answered goes on with its backing files") {
  if (!mounting_is_possible()) return;
  open_bench bench;
  auto stays = bench.open(O_RDWR);
  if (!bench.can_go_on()) return;
  bench.session.leave();
  bench.make_table_earlier();
  bench.mount.passthrough = GENERATE(true, false);
  CAPTURE(bench.mount.passthrough);
  bench.session.go_on(bench.mount.core(session_life::taken_over));
  auto newcomer = bench.open(O_RDWR);
  REQUIRE(pwrite(newcomer.get(), "T", 1, 0) == 1);
  CHECK(start_of(stays) == "Text");
  stays = {};
  newcomer = {};
  CHECK(start_of(bench.open(O_RDWR)) == "Text");
  REQUIRE(unlink(bench.made.c_str()) == 0);
  CHECK(bench.nothing_is_open());  // the kernel has forgotten it
}
