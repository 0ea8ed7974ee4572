// Backing files of one session from several threads at once. Needs no kernel that takes any.
#include "fuse_bridge/backing_files.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

TEST_CASE("threads that open and close the same files have each open counted, and leave none in the table") {
  constexpr std::uint64_t nodes = 16;
  constexpr std::uint64_t rounds = 500;
  constexpr std::uint64_t workers = 4;
  const temporary_folder folder;
  const auto table = folder.path() / "opens";
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
          files->open(one, none);
          files->open(other, none);
          files->close(one);
          files->close(other);
        }
      });
    for (auto& thread : threads) thread.join();
  }
  CHECK(counters->opens_by_fuse == 2 * workers * rounds);
  CHECK(counters->opens_through == 0);
  // What is asked for again was closed.
  const auto next = *backing_files::open_table(-1, table, counters);
  asked = 0;
  for (std::uint64_t node = 0; node < nodes; ++node) next->open(node, none);
  CHECK(asked == nodes);
}
