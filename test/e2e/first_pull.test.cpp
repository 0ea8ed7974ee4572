#include "test/e2e/terminal.hpp"
#include "test/harness/cluster/registry.hpp"

/// The first pull of an image that the hub does not have: it comes from its registry first.
namespace firstlight {
namespace {

/// A registry behind a link that is slow, and can be held in the middle of a layer.
struct slow_registry {
  registry_daemon registry;
  test::relay link;

  explicit slow_registry(cluster& all) : registry(all), link(port_of(registry.host())) {
    link.rate(1'000'000);  // thirteen seconds for a streamed image
  }
  /// @returns the reference that leads over the link
  std::string push(const std::filesystem::path& layout, const std::string& name) {
    static_cast<void>(registry.push(layout, name));
    return "127.0.0.1:" + std::to_string(link.port()) + "/" + name;
  }
  /// Returns when some megabytes have passed; no more do until `open`.
  void hold() {
    REQUIRE(eventually([&] { return link.bytes_to_client() >= 3'000'000; }));
    link.stop();
  }
  void open() {
    link.rate(0);
    link.resume();
  }

 private:
  static std::uint16_t port_of(const std::string& host) {
    return static_cast<std::uint16_t>(std::stoul(host.substr(host.rfind(':') + 1)));
  }
};

/// The hub's only ingestion; null while there is none.
nlohmann::json ingestion(cluster& all) {
  const auto all_of_them = all.hub_status()["ingestions"];
  return all_of_them.size() == 1 ? all_of_them[0] : nlohmann::json();
}

}  // namespace

TEST_CASE("whoever pulls an image first sees at the node how the hub fetches it") {
  if (!cluster::possible()) return;
  cluster all;
  slow_registry source(all);
  const auto image = make_streamed_image(all.folder() / "streamed");
  const auto reference = source.push(image.layout, "team/app:1");
  const auto pull = command_for_terminal(all, "pull " + reference);
  terminal screen(all, pull + "; echo exit code $?; read line");
  source.hold();
  REQUIRE(screen.shows("fetching layer 1 of 1  ["));
  REQUIRE(eventually([&] { return ingestion(all)["done"] > 0; }));
  const auto now = ingestion(all);
  CHECK(now["reference"] == reference);
  CHECK(now["stage"] == "fetching layer 1 of 1");
  CHECK(now["done"] < now["total"]);

  source.open();
  REQUIRE(screen.shows("exit code 0"));
  CHECK(screen.screen().find("fetching") == std::string::npos);
  CHECK(screen.screen().find(reference + ": 100") != std::string::npos);
  CHECK(all.hub_status()["ingestions"].empty());
  CHECK(hashes_of(all, all.mount(reference, "tree")) == hashes_of(all, image.tree));
}

TEST_CASE("where no terminal is, a first pull says nothing but its end") {
  if (!cluster::possible()) return;
  cluster all;
  slow_registry source(all);
  const auto reference = source.push(make_streamed_image(all.folder() / "streamed").layout, "team/app:1");
  auto pull = all.start({"pull", reference});
  source.hold();
  REQUIRE(eventually([&] { return ingestion(all)["done"] > 0; }));
  source.open();
  REQUIRE(pull->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(pull->errors().empty());
  CHECK(pull->output().starts_with(reference + ": 100"));
}

}  // namespace firstlight
