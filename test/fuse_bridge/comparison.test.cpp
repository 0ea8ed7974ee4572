// What the comparison of two file systems finds, and when.
#include <catch2/catch.hpp>

#include <ctime>
#include <fstream>

#include "test/harness/filesystem/differential.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
using namespace firstlight::fstest;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// Two folders that differ in contents alone: of "wrong", and of a second name "two" of the file "one".
struct unequal_folders {
  temporary_folder left;
  temporary_folder right;
  temporary_folder elsewhere;  ///< of further names, so that link counts are equal

  unequal_folders() {
    for (const auto& root : {left.path(), right.path()}) {
      write_file(root / "right", "same");
      write_file(root / "one", "same");
    }
    write_file(left.path() / "wrong", "good");
    write_file(right.path() / "wrong", "evil");
    fs::create_hard_link(left.path() / "one", left.path() / "two");
    write_file(right.path() / "two", "evil");
    for (const auto* name : {"one", "two"})
      fs::create_hard_link(right.path() / name, elsewhere.path() / name);
  }
  [[nodiscard]] std::optional<difference> compare_over(const std::vector<operation>& operations,
                                                       image_contents when) const {
    const auto start = std::time(nullptr) - 60;
    subject native(left.path(), start);
    subject tested(right.path(), start);
    return compare(native, tested, operations, {}, /*contents_interval=*/1'000, when);
  }
};

}  // namespace

TEST_CASE("wrong contents of a file show after the first operation that names it") {
  const unequal_folders folders;
  const std::vector<operation> operations{{.what = action::look, .path = "right"},
                                          {.what = action::change_mode, .path = "wrong", .mode = 0600},
                                          {.what = action::look, .path = "right"},
                                          {.what = action::look, .path = "right"}};
  const auto found = folders.compare_over(operations, image_contents::there);
  REQUIRE(found);
  CHECK(found->step == 1);
  CHECK(found->what.find("contents by read wrong") != std::string::npos);
  // They may not have arrived: only at the end all of them are looked at.
  const auto late = folders.compare_over(operations, image_contents::arriving);
  REQUIRE(late);
  CHECK(late->step == 3);
}

TEST_CASE("wrong contents show when an operation needs them, and by all names of a file") {
  const unequal_folders folders;
  const auto when = GENERATE(image_contents::there, image_contents::arriving);
  const operation look{.what = action::look, .path = "right"};
  const auto written =
      folders.compare_over({{.what = action::append, .path = "wrong", .size = 3}, look}, when);
  REQUIRE(written);
  CHECK(written->step == 0);
  const auto held = folders.compare_over(
      {{.what = action::hold, .path = "wrong", .slot = 1}, {.what = action::held_sync, .slot = 1}, look},
      when);
  REQUIRE(held);
  CHECK(held->step == 0);
  const auto linked = folders.compare_over({{.what = action::read, .path = "one"}, look}, when);
  REQUIRE(linked);
  CHECK(linked->step == 0);
  CHECK(linked->what.find("contents by read two") != std::string::npos);
}

TEST_CASE("a walk through holes tells the size, and no lie of a sparse file") {
  const temporary_folder folder;
  write_file(folder.path() / "plain", "text");
  write_file(folder.path() / "empty", "");
  write_file(folder.path() / "sparse", "x");
  fs::resize_file(folder.path() / "sparse", 1'000'000);
  subject tested(folder.path(), 0);
  for (const auto& [path, bytes] :
       {std::pair{"plain", 4}, std::pair{"empty", 0}, std::pair{"sparse", 1'000'000}}) {
    CAPTURE(path);
    CHECK(tested.apply({.what = action::find_holes, .path = path}) == outcome{0, bytes, {}});
  }
  CHECK(tested.apply({.what = action::find_holes, .path = "."}) == outcome{0, -1, {}});
}
