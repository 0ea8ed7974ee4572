#include "config/settings.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>

using namespace firstlight;

namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

template <class Options>
std::string message_of(const char* assignment) {
  Options options;
  const auto done = apply_assignment(options, assignment);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == errc::invalid_argument);
  return done.error().detail;
}

}  // namespace

TEST_CASE("a setting is changed by its dotted name, with units") {
  hub_options options;
  REQUIRE(apply_assignment(options, "link.silence_max=3s").has_value());
  REQUIRE(apply_assignment(options, "segment_cache_bytes_max=64MiB").has_value());
  REQUIRE(apply_assignment(options, "revoked_nodes=a,b").has_value());
  REQUIRE(apply_assignment(options, "plan.warmup.enabled=false").has_value());
  CHECK(options.link.silence_max == std::chrono::seconds(3));
  CHECK(options.segment_cache_bytes_max == 64U << 20U);
  CHECK(options.revoked_nodes == std::vector<std::string>{"a", "b"});
  CHECK_FALSE(options.plan.warmup.enabled);
  node_options node;
  REQUIRE(apply_assignment(node, "plan.damaged_attempts_max=5").has_value());
  CHECK(node.receiver.damaged_attempts_max == 5);
}

TEST_CASE("an unknown setting is an error that names the nearest one") {
  CHECK(message_of<hub_options>("link.silence_mx=3s") ==
        "there is no setting 'link.silence_mx'; did you mean 'link.silence_max'?");
  CHECK(message_of<node_options>("zzzzzz=1").find("config reference") != std::string::npos);
}

TEST_CASE("a value that does not fit says what would") {
  CHECK(message_of<hub_options>("link.silence_max=3").find("needs a unit, as in 250ms") != std::string::npos);
  CHECK(message_of<hub_options>("workers=many").find("not a number") != std::string::npos);
  CHECK(message_of<hub_options>("workers=5000000000").find("above 4294967295") != std::string::npos);
  CHECK(message_of<hub_options>("link.message_bytes_max=8GiB").find("setting link.message_bytes_max") !=
        std::string::npos);
  CHECK(message_of<hub_options>("plan.warmup.enabled=yes").find("neither true nor false") !=
        std::string::npos);
  CHECK(message_of<hub_options>("listen").find("NAME=VALUE") != std::string::npos);
}

TEST_CASE("another hub is named with its port") {
  hub_options options;
  options.peers = {"one.example:7420", "[::1]:7421"};
  CHECK(validate(options).has_value());
  options.peers.emplace_back("two.example");
  const auto refused = validate(options);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == errc::invalid_argument);
  CHECK(refused.error().detail.starts_with("setting peers"));
}

TEST_CASE("a JSON file nests names and may carry comments") {
  node_options options;
  const auto done = apply_json(options, R"({
    // where the hub is
    "hub": "hub.example.org:7420",
    "workers": 3,
    "link": {"silence_max": "5s", "nodes_max": 7}
  })");
  REQUIRE(done.has_value());
  CHECK(options.hub == "hub.example.org:7420");
  CHECK(options.workers == 3);
  CHECK(options.link.silence_max == std::chrono::seconds(5));
  CHECK(options.link.nodes_max == 7);
}

TEST_CASE("what is no JSON object of settings is refused with its place") {
  node_options options;
  CHECK(apply_json(options, "{\"hub\": ").error().detail.find("line 1") != std::string::npos);
  CHECK(apply_json(options, "[]").error().code == errc::invalid_argument);
  CHECK(apply_json(options, R"({"workers": -1})").error().detail.find("setting workers") !=
        std::string::npos);
  CHECK(apply_json(options, R"({"hub": null})").error().detail.find("setting hub") != std::string::npos);
  CHECK(apply_file(options, "/nonexistent/node.json").error().code == errc::not_found);
}

TEST_CASE("every setting survives writing and reading a file") {
  hub_options hub;
  hub.listen = "[::1]:99";
  hub.plain_http_registries = {"a:1", "b"};
  hub.tag_check_interval = std::chrono::milliseconds(1501);
  const auto written = GENERATE_COPY(to_json_file(hub), to_json_line(hub));
  hub_options back;
  REQUIRE(apply_json(back, written).has_value());
  const auto before = describe(hub);
  const auto after = describe(back);
  REQUIRE(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    INFO(before[i].name);
    CHECK(before[i].value == after[i].value);
  }
}

TEST_CASE("settings have unique names and a sentence of documentation each") {
  for (const auto& all : {describe(hub_options{}), describe(node_options{})}) {
    std::set<std::string> names;
    for (const auto& one : all) {
      INFO(one.name);
      CHECK(names.insert(one.name).second);
      CHECK(one.doc.size() >= 8);
    }
  }
}

TEST_CASE("the defaults are valid") {
  CHECK(validate(hub_options{}).has_value());
  CHECK(validate(node_options{}).has_value());
}

TEST_CASE("what cannot work is refused by name") {
  hub_options hub;
  hub.listen = "7420";
  CHECK(validate(hub).error().detail.find("setting listen") != std::string::npos);
  hub = {};
  hub.link.backoff_first = std::chrono::hours(1);
  CHECK(validate(hub).error().detail.find("link.backoff_first") != std::string::npos);
  hub = {};
  hub.image_removal_patience = std::chrono::milliseconds(0);
  CHECK(validate(hub).error().detail.find("image_removal_patience") != std::string::npos);
  hub_options alone;
  alone.learning.peer_calls_max = 0;
  CHECK(validate(alone).error().detail.find("learning.peer_calls_max") != std::string::npos);
  node_options node;
  node.log_level = "loud";
  CHECK(validate(node).error().detail.find("setting log_level") != std::string::npos);
  node = {};
  node.socket = "/" + std::string(200, 's');
  CHECK(validate(node).error().detail.find("setting socket") != std::string::npos);
  node = {};
  node.admin_listen = "0.0.0.0:7421";
  CHECK(validate(node).has_value());
  node.admin_listen = "/run/firstlight/admin.sock";
  CHECK(validate(node).error().detail.find("setting admin_listen") != std::string::npos);
}

TEST_CASE("folders that containerd's mounts cannot name are refused where it makes mounts of them") {
  for (const std::string folder : {"/srv/a,b", "/srv/a:b", "/srv/a\\b"}) {
    CAPTURE(folder);
    node_options node;
    node.store_folder = folder;
    CHECK(validate(node).has_value());
    node.containerd.socket = "/run/firstlight/containerd.sock";
    const auto store = validate(node);
    REQUIRE_FALSE(store.has_value());
    CHECK(store.error().code == errc::invalid_argument);
    CHECK(store.error().detail.starts_with("setting store_folder: has "));
    CHECK(store.error().detail.find('\n') == std::string::npos);
    node.store_folder = "/srv/node";
    CHECK(validate(node).has_value());
    node.run_folder = folder;
    CHECK(validate(node).error().detail.starts_with("setting run_folder: has "));
  }
}

TEST_CASE("the example files and the reference are those of this version") {
  hub_options hub;
  node_options node;
  CHECK(apply_file(hub, "config/examples/hub.json").has_value());
  CHECK(apply_file(node, "config/examples/node.json").has_value());
  const auto reference = read_file("docs/settings.md");
  for (const auto& all : {describe(hub_options{}), describe(node_options{})}) {
    for (const auto& one : all) {
      const auto row = "| `" + one.name + "` | " + one.kind + " | " +
                       (one.value.empty() ? "" : "`" + one.value + "`") + " | " + one.doc + " |";
      INFO(row);
      CHECK(reference.find(row) != std::string::npos);
    }
  }
}

TEST_CASE("addresses are split at the last colon, IPv6 in brackets") {
  CHECK(split_address("hub:7420")->host == "hub");
  CHECK(split_address("[::1]:7420")->host == "::1");
  CHECK(split_address("[::1]:7420")->port == 7420);
  for (const auto* wrong : {"hub", "hub:", ":1", "hub:70000", "::1:80", "hub:x"}) {
    INFO(wrong);
    CHECK_FALSE(split_address(wrong).has_value());
  }
}
