// Backing files of one session from several threads at once. Needs no kernel that takes any.
#include "fuse_bridge/backing_files.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

TEST_CASE("threads that open and close the same files have each open counted, and leave none in the table") {
  constexpr std::uint64_t nodes = 16;
  constexpr std::uint64_t rounds = 500;
  constexpr std::uint64_t workers = 4;
  const temporary_folder folder;
  const auto table = folder.path() / "open-files";
  const auto counters = std::make_shared<session_counters>();
  std::atomic<std::uint64_t> asked{0};
  const auto none = [&] {
    ++asked;
    return file_descriptor{};
  };
  {
    const auto files = *backing_files::open_table(-1, table, counters);
    std::vector<std::thread> threads;
    for (std::uint64_t worker = 0; worker < workers; ++worker)
      threads.emplace_back([&, worker] {
        for (std::uint64_t round = 0; round < rounds; ++round) {
          const auto one = (round + worker) % nodes;
          const auto other = (round * 3 + worker) % nodes;
          const auto first = 2 * (worker * rounds + round) + 1;
          files->open({first, one}, none);
          files->open({first + 1, other}, none);
          files->close(first);
          files->close(first + 1);
        }
      });
    for (auto& thread : threads) thread.join();
  }
  CHECK(counters->opens_by_fuse == 2 * workers * rounds);
  CHECK(counters->opens_through == 0);
  // What is asked for again was closed.
  const auto next = *backing_files::open_table(-1, table, counters);
  asked = 0;
  for (std::uint64_t node = 0; node < nodes; ++node) next->open({node + 1, node}, none);
  CHECK(asked == nodes);
}

namespace {

/// The table of a session, and the process that has it.
class table_bench {
 public:
  table_bench() { go_on(); }

  /// The process dies, and the next one reads what it has left.
  void go_on() {
    files_.reset();
    files_ =
        *backing_files::open_table(-1, folder_.path() / "open-files", std::make_shared<session_counters>());
  }
  [[nodiscard]] backing_files& files() const { return *files_; }
  /// Opens it. @returns whether this decides the way of the file: nobody else has it open
  bool open(const opened_file& file) const {
    bool asked = false;
    files_->open(file, [&] {
      asked = true;
      return file_descriptor{};
    });
    return asked;
  }

 private:
  temporary_folder folder_;
  std::unique_ptr<backing_files> files_;
};

}  // namespace

TEST_CASE("an open that the kernel repeats to the next process counts once, and a close of it closes it") {
  table_bench bench;
  REQUIRE(bench.open({2, 7}));
  bench.go_on();
  CHECK_FALSE(bench.open({2, 7}));
  bench.go_on();
  CHECK_FALSE(bench.open({2, 7}));
  bench.files().close(2);
  CHECK(bench.open({4, 7}));
}

TEST_CASE("a close that the kernel repeats to the next process closes no other open of the file") {
  table_bench bench;
  REQUIRE(bench.open({2, 7}));
  REQUIRE_FALSE(bench.open({4, 7}));
  bench.files().close(2);
  bench.go_on();
  bench.files().close(2);
  CHECK_FALSE(bench.open({6, 7}));
  bench.files().close(4);
  CHECK_FALSE(bench.open({8, 7}));
  bench.files().close(6);
  bench.files().close(8);
  CHECK(bench.open({10, 7}));
}

TEST_CASE("a request that makes another file when it is repeated has only that one open") {
  table_bench bench;
  REQUIRE(bench.open({2, 7}));
  bench.go_on();
  CHECK(bench.open({2, 8}));
  CHECK(bench.open({4, 7}));
  CHECK_FALSE(bench.open({6, 8}));
}

TEST_CASE("what nobody will close is closed when the kernel has no inode of it any more, and not before") {
  table_bench bench;
  REQUIRE(bench.open({2, 7}));
  REQUIRE_FALSE(bench.open({4, 7}));
  REQUIRE(bench.open({6, 8}));
  bench.go_on();
  bench.files().forget(7, [] { return true; });
  CHECK_FALSE(bench.open({8, 7}));
  bench.files().forget(7, [] { return false; });
  CHECK(bench.open({10, 7}));
  CHECK_FALSE(bench.open({12, 8}));
  bench.files().forget(9, [] {
    FAIL("the kernel is asked about a file that is not open");
    return true;
  });
  bench.go_on();
  CHECK_FALSE(bench.open({14, 7}));
}

TEST_CASE("a session goes on with the size from which on its first process has counted opens") {
  const temporary_folder folder;
  const auto open = [&](std::uint64_t bytes_min) {
    return *backing_files::open_table(-1, folder.path() / "open-files", std::make_shared<session_counters>(),
                                      bytes_min);
  };
  CHECK(open(100)->bytes_min() == 100);
  const auto next = open(50);
  CHECK(next->bytes_min() == 100);
  next->open({2, 7}, [] { return file_descriptor{}; });
  next->forget(100, [] { return false; });
  next->close(2);
  next->open({4, 7}, [] { return file_descriptor{}; });
  CHECK(open(0)->bytes_min() == 100);
}

TEST_CASE("of what an earlier version has noted as open all opens go the same way until it is forgotten") {
  struct earlier_row {
    std::uint64_t node;
    std::uint32_t opens;
    std::int32_t backing_id;
  };
  constexpr std::array<earlier_row, 3> rows{{{7, 2, 5}, {8, 0, 3}, {9, 1, 0}}};
  const temporary_folder folder;
  const auto table = folder.path() / "open-files";
  std::ofstream(backing_files::earlier_table(table), std::ios::binary)
      .write(reinterpret_cast<const char*>(rows.data()), sizeof rows);
  int asked = 0;
  const auto ask = [&] {
    ++asked;
    return file_descriptor{};
  };
  for (std::uint64_t process = 0; process < 2; ++process) {
    const auto files = *backing_files::open_table(-1, table, std::make_shared<session_counters>(), 100);
    CHECK(files->bytes_min() == 0);  // it counted all files
    const auto handle = 10 * process + 2;
    const auto way = files->open({handle, 7}, ask);
    CHECK(way.through);
    CHECK(way.backing_id == 5);
    CHECK_FALSE(files->open({handle + 2, 9}, ask).through);
    CHECK(asked == 0);
    files->close(0);
    files->close(handle);
    files->close(handle + 2);
  }
  const auto files = *backing_files::open_table(-1, table, std::make_shared<session_counters>(), 100);
  files->open({32, 8}, ask);
  CHECK(asked == 1);
  for (const std::uint64_t node : {7U, 9U}) files->forget(node, [] { return false; });
  files->open({34, 7}, ask);
  files->open({36, 9}, ask);
  CHECK(asked == 3);
}
