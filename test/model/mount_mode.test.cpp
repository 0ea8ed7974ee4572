#include "model/mount_mode.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("ways to mount are known by their names", "[mount_mode]") {
  for (const auto mode : {mount_mode::automatic, mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse})
    CHECK(parse_mount_mode(to_string(mode)) == mode);
  CHECK(parse_mount_mode("") == mount_mode::automatic);
}

TEST_CASE("an unknown way to mount is refused with the known ones", "[mount_mode]") {
  const auto mode = parse_mount_mode("Overlay");
  REQUIRE_FALSE(mode);
  CHECK(mode.error().code == errc::invalid_argument);
  CHECK(mode.error().detail.find("overlay") != std::string::npos);
}
