#include "apps/console/console_history.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

using lines = std::vector<std::string>;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("the console's history has each line as soon as it is typed, for its owner only") {
  const temporary_folder folder;
  const auto file = folder.path() / "history";
  const console_history history(file);
  CHECK(history.lines().empty());
  history.add("image ls");
  CHECK(text_of(file) == "_HiStOrY_V2_\nimage\\040ls\n");
  CHECK(std::filesystem::status(file).permissions() ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  history.add("run 'a\\b'\tc");
  CHECK(console_history(file).lines() == lines{"image ls", "run 'a\\b'\tc"});
}

TEST_CASE("the console's history reads what libedit has written, and needs no file") {
  const temporary_folder folder;
  std::ofstream(folder.path() / "history") << "_HiStOrY_V2_\na\\040b\nc\\\\d\n\nunfinished";
  CHECK(console_history(folder.path() / "history").lines() == lines{"a b", "c\\d"});
  for (const auto& nowhere : {std::filesystem::path(), folder.path() / "missing/history"}) {
    console_history(nowhere).add("lost");
    CHECK(console_history(nowhere).lines().empty());
  }
}

TEST_CASE("consoles that run at once lose none of each other's history") {
  const temporary_folder folder;
  const auto file = folder.path() / "history";
  std::vector<std::thread> consoles;
  for (int number = 0; number < 4; ++number)
    consoles.emplace_back([&, number] {
      for (int i = 0; i < 50; ++i) console_history(file).add("wait " + std::to_string(number));
    });
  for (auto& each : consoles) each.join();
  const auto all = console_history(file).lines();
  CHECK(all.size() == 200);
  for (int number = 0; number < 4; ++number)
    CHECK(std::count(all.begin(), all.end(), "wait " + std::to_string(number)) == 50);
}

TEST_CASE("the console's history keeps the newest lines, and its file does not grow for ever") {
  const temporary_folder folder;
  const auto file = folder.path() / "history";
  const console_history history(file);
  for (int i = 0; i < 1100; ++i) history.add(std::to_string(i));
  auto all = history.lines();
  CHECK(all.size() == console_history::lines_max);
  CHECK(all.front() == "100");
  CHECK(all.back() == "1099");
  for (int i = 0; i < 300; ++i) history.add(std::string(1000, 'x'));
  history.add("last");
  CHECK(std::filesystem::file_size(file) < console_history::file_bytes_max);
  CHECK(text_of(file).starts_with("_HiStOrY_V2_\n"));
  all = history.lines();
  CHECK(all.back() == "last");
  all.pop_back();
  CHECK(all.size() > 100);
  CHECK(std::all_of(all.begin(), all.end(), [](const auto& line) { return line.size() == 1000; }));
}
