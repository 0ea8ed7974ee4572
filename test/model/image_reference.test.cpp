#include "model/image_reference.hpp"

#include <catch2/catch.hpp>

#include "model/platform.hpp"

namespace firstlight {

TEST_CASE("names of images get Docker's defaults") {
  const std::string pinned = "@sha256:" + std::string(64, 'a');
  const std::pair<std::string, std::string> cases[] = {
      {"redis", "docker.io/library/redis:latest"},
      {"library/redis:7", "docker.io/library/redis:7"},
      {"docker://redis:7", "docker.io/library/redis:7"},
      {"index.docker.io/redis", "docker.io/library/redis:latest"},
      {"localhost/a", "localhost/a:latest"},
      {"localhost:5000/a/b:x", "localhost:5000/a/b:x"},
      {"[::1]:5000/a", "[::1]:5000/a:latest"},
      {"quay.io/a/b" + pinned, "quay.io/a/b" + pinned},
      {"quay.io/a/b:t" + pinned, "quay.io/a/b:t" + pinned},
      {"oci:/images/redis:latest", "oci:/images/redis:latest"},
      {"oci:dir", "oci:dir"},
      {"docker-archive:a.tar:redis:7", "docker-archive:a.tar:redis:7"},
  };
  for (const auto& [typed, canonical] : cases) {
    const auto reference = parse_image_reference(typed);
    INFO(typed);
    REQUIRE(reference);
    CHECK(reference->text() == canonical);
    CHECK(parse_image_reference(canonical) == *reference);
  }
}

TEST_CASE("an image's lowest layers alone are named by their number") {
  const auto some = parse_image_reference("redis:7#2");
  REQUIRE(some);
  CHECK(some->layers == 2);
  CHECK(some->text() == "docker.io/library/redis:7#2");
  CHECK(parse_image_reference(some->text()) == *some);
  const auto pinned = parse_image_reference("a@sha256:" + std::string(64, 'c') + "#11");
  REQUIRE(pinned);
  CHECK(pinned->layers == 11);
  CHECK(parse_image_reference(pinned->text()) == *pinned);
  for (const auto* bad :
       {"redis#", "redis#0", "redis#01", "redis#x", "redis#1#2", "redis#-1", "redis#99999999999"})
    CHECK(parse_image_reference(bad).error().code == errc::invalid_argument);
}

TEST_CASE("all tags and digests of an image have their repository in common") {
  CHECK(parse_image_reference("redis:7")->repository_text() == "docker.io/library/redis");
  CHECK(parse_image_reference("localhost:5000/a/b@sha256:" + std::string(64, 'a'))->repository_text() ==
        "localhost:5000/a/b");
  CHECK(parse_image_reference("oci:/images/redis:latest")->repository_text() == "oci:/images/redis");
}

TEST_CASE("malformed names of images are refused") {
  for (const char* typed : {"", "Redis", "a//b", "a:b:c", "redis:", "redis@sha256:12",
                            "oci:", "oci:dir:", "-a", "a..b", "host:5000/"}) {
    INFO(typed);
    const auto reference = parse_image_reference(typed);
    REQUIRE_FALSE(reference);
    CHECK(reference.error().code == errc::invalid_argument);
  }
}

TEST_CASE("a platform suits itself best, and arm64 means arm64/v8") {
  const auto arm = parse_platform("linux/arm64");
  REQUIRE(arm);
  CHECK(suitability({"linux", "arm64", "v8"}, *arm) == suitability(*arm, *arm));
  CHECK(suitability({"linux", "amd64", ""}, *arm) == 0);
  CHECK(suitability({"linux", "arm", "v6"}, {"linux", "arm", "v7"}) == 0);
  CHECK_FALSE(parse_platform("linux"));
  CHECK(parse_platform("") == host_platform());
}

}  // namespace firstlight
