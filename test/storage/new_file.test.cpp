#include "storage/new_file.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/harness/temporary_folder.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

result<void> write(const new_file& file, std::string_view text) {
  return write_at(file.get(), std::as_bytes(std::span(text)), 0, file.temporary());
}

}  // namespace

TEST_CASE("a new file has its name only once it is kept, and else leaves nothing") {
  const temporary_folder folder;
  const auto path = folder.path() / "made";
  {
    const auto given_up = new_file::create(path).value();
    REQUIRE(write(given_up, "half"));
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(fs::is_empty(folder.path()));
  auto file = new_file::create(path).value();
  REQUIRE(write(file, "whole"));
  REQUIRE(file.keep());
  CHECK(text_of(path) == "whole");
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a new file takes no other file's place, not even one that came meanwhile") {
  const temporary_folder folder;
  const auto path = folder.path() / "made";
  {
    auto file = new_file::create(path).value();
    std::ofstream(path) << "mine";
    CHECK(file.keep().error().code == errc::already_exists);
  }
  CHECK(new_file::create(path).error().code == errc::already_exists);
  CHECK(text_of(path) == "mine");
  CHECK_FALSE(fs::exists(folder.path() / "made.new"));
}

TEST_CASE("two new files of one name are not made at once") {
  const temporary_folder folder;
  const auto path = folder.path() / "made";
  auto first = new_file::create(path).value();
  REQUIRE(write(first, "first"));
  CHECK(new_file::create(path).error().code == errc::busy);
  REQUIRE(first.keep());
  CHECK(text_of(path) == "first");
}

TEST_CASE("what a killed process has left of a new file is taken over, but not what is somebody's") {
  const temporary_folder folder;
  const auto path = folder.path() / "made";
  const auto temporary = folder.path() / "made.new";
  std::ofstream(temporary) << "a longer text than the next one";
  auto file = new_file::create(path).value();
  REQUIRE(write(file, "short"));
  REQUIRE(file.keep());
  CHECK(text_of(path) == "short");

  const auto other = folder.path() / "other";
  std::ofstream(other) << "theirs";
  fs::remove(path);
  fs::create_symlink(other, temporary);
  CHECK(new_file::create(path).error().code == errc::already_exists);
  fs::remove(temporary);
  fs::create_hard_link(other, temporary);
  CHECK(new_file::create(path).error().code == errc::already_exists);
  CHECK(text_of(other) == "theirs");
}

}  // namespace firstlight
