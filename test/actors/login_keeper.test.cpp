#include "actors/node/login_keeper.hpp"

#include <catch2/catch.hpp>
#include <fstream>

#include "test/harness/node/actor_stage.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;

namespace {

struct keeper_bench {
  temporary_folder folder;
  login_options options{.docker_config = folder.path() / "config.json", .requests_max = 2};
  actor_stage stage;
  login_keeper keeper = stage.keep(stage.system().spawn(
      make_login_keeper,
      login_keeper_tools{options, std::make_shared<provider_logins>(options), stage.workers()}));

  ~keeper_bench() { keeper = nullptr; }

  void remember(const std::string& reference, const std::string& user) {
    const auto login =
        user.empty() ? shared_login{} : std::make_shared<const registry_login>(registry_login{.user = user});
    auto done = stage.ask<login_remembered>(keeper, remember_login{reference, login});
    stage.run();
    REQUIRE((*done && **done));
  }
  shared_login find_one(const std::string& reference) {
    auto found = stage.ask<found_login>(keeper, find_login{reference});
    stage.run();
    REQUIRE((*found && **found));
    return (**found)->login;
  }
  /// The user, or "nobody".
  std::string find(const std::string& reference) {
    const auto login = find_one(reference);
    return login ? login->user : "nobody";
  }
};

}  // namespace

TEST_CASE(
    "a login that came with a request counts for its repository, before those of files, and for a while") {
  keeper_bench bench;
  std::ofstream(bench.options.docker_config) << R"({"auths":{"host.example":{"username":"docker"}}})";
  CHECK(bench.find("host.example/app:1") == "docker");
  bench.remember("host.example/app:1", "ann");
  CHECK(bench.find("host.example/app:1") == "ann");
  CHECK(bench.find("host.example/app@sha256:" + std::string(64, 'a') + "#2") == "ann");
  CHECK(bench.find("host.example/other:1") == "docker");
  bench.stage.pass(bench.options.request_time);
  CHECK(bench.find("host.example/app:1") == "docker");
}

TEST_CASE("a request without a login takes away what an earlier one brought") {
  keeper_bench bench;
  bench.remember("host.example/app:1", "ann");
  bench.remember("host.example/app:2", "");
  CHECK(bench.find("host.example/app:1") == "nobody");
}

TEST_CASE("a login that the registry refuses makes room for the next source, unless a newer one came") {
  keeper_bench bench;
  std::ofstream(bench.options.docker_config) << R"({"auths":{"host.example":{"username":"docker"}}})";
  bench.remember("host.example/app:1", "ann");
  const auto old = bench.find_one("host.example/app:1");
  bench.remember("host.example/app:1", "bob");
  const auto refuse = [&](const shared_login& login) {
    caf::anon_send(bench.keeper, login_refused{"host.example/app:2", login});
    bench.stage.run();
  };
  refuse(old);
  CHECK(bench.find("host.example/app:1") == "bob");
  refuse(bench.find_one("host.example/app:1"));
  CHECK(bench.find("host.example/app:1") == "docker");
}

TEST_CASE("of too many repositories the one remembered longest ago is forgotten") {
  keeper_bench bench;
  for (const std::string name : {"a", "b", "c"}) {
    bench.remember("host.example/" + name, name);
    bench.stage.pass(std::chrono::milliseconds(1));
  }
  CHECK(bench.find("host.example/a") == "nobody");
  CHECK(bench.find("host.example/b") == "b");
  CHECK(bench.find("host.example/c") == "c");
}

TEST_CASE("a source that cannot be read does not keep images from being pulled") {
  keeper_bench bench;
  std::ofstream(bench.options.docker_config) << "nonsense";
  CHECK(bench.find("host.example/app:1") == "nobody");
  CHECK(bench.find("oci:/images/app") == "nobody");
}
