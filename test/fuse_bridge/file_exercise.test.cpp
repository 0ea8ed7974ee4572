#include "test/harness/filesystem/file_exercise.hpp"

#include <cstdlib>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
using namespace firstlight::fstest;

namespace {

constexpr std::uint64_t bytes_max = 200'000;
const std::string image_bytes = patterned_bytes(150'001, 5);

std::uint64_t seed_of_run() {
  const char* set = std::getenv("FIRSTLIGHT_SEED");
  return set != nullptr ? std::strtoull(set, nullptr, 10) : std::random_device{}();
}

void check_exercise(std::size_t steps) {
  if (!mounting_is_possible()) return;
  const auto [mode, passthrough] =
      GENERATE(Catch::Generators::table<mount_mode, bool>({{mount_mode::hybrid, true},
                                                           {mount_mode::overlay, true},
                                                           {mount_mode::fuse, true},
                                                           {mount_mode::fuse, false}}));
  const auto arriving = GENERATE(false, true);
  const auto seed = seed_of_run();
  INFO("FIRSTLIGHT_SEED=" << seed << " in mode " << to_string(mode) << (passthrough ? "" : ", no passthrough")
                          << (arriving ? ", arriving" : ", there"));
  fuse_limits limits;
  limits.passthrough = passthrough;
  image_builder builder;
  builder.file("file", image_bytes);
  mounted_image image(builder, view::writable, limits, mode);
  if (arriving)
    image.source.on_want(fake_source::answer::deliver);
  else
    image.source.deliver_all();
  CHECK(
      exercise_file(image.path("file"), random_exercise(seed, steps, bytes_max), image_bytes).value_or("") ==
      "");
  std::ofstream(image.path("new"));
  CHECK(exercise_file(image.path("new"), random_exercise(seed + 1, steps, bytes_max), "").value_or("") == "");
}

}  // namespace

TEST_CASE("random reads and writes and maps and holes in one file of a mount give what memory gives") {
  check_exercise(1'000);
}

TEST_CASE("random reads and writes and maps and holes in one file of a mount, for long", "[.][all]") {
  check_exercise(20'000);
}

TEST_CASE("the exercise of a file notices one wrong byte") {
  const temporary_folder folder;
  const auto path = (folder.path() / "file").string();
  std::ofstream(path, std::ios::binary) << "abcdef";
  const std::vector<exercise_step> look{{.what = exercise::truncate, .size = 5}};
  CHECK(exercise_file(path, look, "abXdef").value_or("").find("bytes differ at 2") != std::string::npos);
  const std::vector<exercise_step> map{{.what = exercise::map_read, .size = 5}};
  CHECK(exercise_file(path, map, "Xbcde").has_value());
  CHECK_FALSE(exercise_file(path, random_exercise(1, 200, bytes_max), "abcde").has_value());
}
