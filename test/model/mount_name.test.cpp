#include "model/mount_name.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("a mount's name is a plain file name") {
  CHECK(check_mount_name("redis-7.blue_2").value() == "redis-7.blue_2");
  for (const auto* bad : {"", ".hidden", "-x", "a/b", "a b", "..", "a\nb", "\xff"})
    CHECK(check_mount_name(bad).error().code == errc::invalid_argument);
  CHECK(check_mount_name(std::string(200, 'a')).has_value());
  CHECK_FALSE(check_mount_name(std::string(201, 'a')).has_value());
}

TEST_CASE("a mount without a name gets one from its image") {
  CHECK(make_mount_name({.repository = "library/redis"}, 3) == "redis-3");
  CHECK(make_mount_name({.transport = image_transport::oci_layout, .path = "/images/my app/"}, 1) ==
        "myapp-1");
  CHECK(make_mount_name({.path = "/.-"}, 1) == "image-1");
  CHECK(check_mount_name(make_mount_name({.path = std::string(5000, 'x')}, 18446744073709551615ULL))
            .has_value());
}
