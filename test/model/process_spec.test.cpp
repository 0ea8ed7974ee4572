#include "model/process_spec.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using words = std::vector<std::string>;

namespace {

constexpr account_files accounts{
    .passwd = "root:x:0:0:root:/root:/bin/bash\nredis:x:101:103::/var/lib/redis:/usr/sbin/nologin\nbroken\n",
    .group = "root:x:0:\nredis:x:103:\nssl:x:110:redis,other\nadm:x:4:redis\n"};

image_config redis() {
  image_config image;
  image.entrypoint = {"redis-server"};
  image.command = {"--port", "1"};
  image.environment = {"PATH=/bin", "LANG=C"};
  image.user = "redis";
  image.working_directory = "/data";
  return image;
}

}  // namespace

TEST_CASE("without wishes the image decides all") {
  const auto spec = decide_process(redis(), {}, accounts).value();
  CHECK(spec.arguments == words{"redis-server", "--port", "1"});
  CHECK(spec.environment == words{"PATH=/bin", "HOME=/var/lib/redis", "LANG=C"});
  CHECK(spec.uid == 101);
  CHECK(spec.gid == 103);
  CHECK(spec.groups == std::vector<std::uint32_t>{4, 110});
  CHECK(spec.working_directory == "/data");
}

TEST_CASE("arguments replace the command and keep the entrypoint") {
  CHECK(decide_process(redis(), {.arguments = {"--version"}}, accounts).value().arguments ==
        words{"redis-server", "--version"});
}

TEST_CASE("an entrypoint of the user drops the image's command") {
  CHECK(decide_process(redis(), {.entrypoint = "sh"}, accounts).value().arguments == words{"sh"});
  CHECK(decide_process(redis(), {.entrypoint = "", .arguments = {"ls", "/"}}, accounts).value().arguments ==
        words{"ls", "/"});
}

TEST_CASE("an image without a program needs one from the user") {
  const auto none = decide_process({}, {}, accounts);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == errc::invalid_argument);
  CHECK(none.error().detail.find("give one") != std::string::npos);
}

TEST_CASE("users and groups are names or numbers") {
  const auto with = [](std::string user) {
    return decide_process(redis(), {.user = std::move(user)}, accounts);
  };
  CHECK(with("redis:ssl")->gid == 110);
  CHECK(with("redis:ssl")->groups.empty());
  CHECK(with("4000")->uid == 4000);
  CHECK(with("4000")->gid == 0);
  CHECK(with("101")->gid == 103);
  CHECK(with("0:77")->gid == 77);
  CHECK(with("nobody").error().code == errc::not_found);
  CHECK(with("redis:nogroup").error().code == errc::not_found);
}

TEST_CASE("an image without accounts runs as root with a default PATH") {
  image_config image;
  image.command = {"/hello"};
  const auto spec = decide_process(image, {}, {}).value();
  CHECK(spec.uid == 0);
  CHECK(spec.working_directory == "/");
  CHECK(spec.environment ==
        words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"});
}

TEST_CASE("the user's environment is stronger than the image's") {
  const auto spec =
      decide_process(redis(), {.environment = {"LANG=de", "X="}, .terminal = true}, accounts).value();
  CHECK(spec.environment == words{"PATH=/bin", "HOME=/var/lib/redis", "TERM=xterm", "LANG=de", "X="});
  CHECK(decide_process(redis(), {.environment = {"LANG"}}, accounts).error().code == errc::invalid_argument);
}
