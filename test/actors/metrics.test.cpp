#include "actors/metrics/metric_families.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace firstlight;

TEST_CASE("a node's status becomes metrics with labels, each family once") {
  admin_node_status status;
  status.version = "1.2";
  status.link.state = "up";
  admin_mount one;
  one.name = "a";
  one.reference = "redis:7";
  one.mode = "hybrid";
  one.waits = 3;
  one.wait_total_ms = 1500;
  auto two = one;
  two.name = "b";
  status.mounts = {one, two};
  const auto text = metrics_text(status);
  CHECK(text.find("# TYPE firstlight_link_up gauge\nfirstlight_link_up 1\n") != std::string::npos);
  CHECK(text.find("firstlight_build_info{version=\"1.2\"} 1") != std::string::npos);
  CHECK(text.find("firstlight_mount_waits_total{mount=\"b\",image=\"redis:7\",mode=\"hybrid\"} 3") !=
        std::string::npos);
  CHECK(text.find("firstlight_mount_wait_seconds_total{mount=\"a\",image=\"redis:7\",mode=\"hybrid\"} 1.5") !=
        std::string::npos);
  const std::string type = "# TYPE firstlight_mount_waits_total counter";
  CHECK(text.find(type) != std::string::npos);
  CHECK(text.find(type, text.find(type) + 1) == std::string::npos);
}

TEST_CASE("a hub's status becomes metrics") {
  admin_hub_status status;
  status.nodes.resize(1);
  status.nodes[0].name = "n1";
  status.nodes[0].bytes_sent = 7;
  status.traces_received = 5;
  status.orders_learned = 4;
  status.joined_hubs = 2;
  admin_peer near;
  near.address = "east:7420";
  near.state = "up";
  near.exchanged_at = 1'700'000'000;
  near.traces_sent = 3;
  near.traces_fetched = 9;
  auto away = near;
  away.address = "west:7420";
  away.state = "down";
  status.peers = {near, away};
  const auto text = metrics_text(status);
  CHECK(text.find("firstlight_nodes 1\n") != std::string::npos);
  CHECK(text.find("firstlight_node_sent_bytes_total{node=\"n1\"} 7\n") != std::string::npos);
  CHECK(text.find("firstlight_traces_received_total 5\n") != std::string::npos);
  CHECK(text.find("firstlight_orders_learned_total 4\n") != std::string::npos);
  CHECK(text.find("firstlight_joined_hubs 2\n") != std::string::npos);
  CHECK(text.find("firstlight_peer_up{peer=\"east:7420\"} 1\nfirstlight_peer_up{peer=\"west:7420\"} 0\n") !=
        std::string::npos);
  CHECK(text.find("firstlight_peer_last_exchange_timestamp_seconds{peer=\"east:7420\"} 1700000000\n") !=
        std::string::npos);
  CHECK(text.find("firstlight_peer_traces_sent_total{peer=\"east:7420\"} 3\n") != std::string::npos);
  CHECK(text.find("firstlight_peer_traces_received_total{peer=\"east:7420\"} 9\n") != std::string::npos);
}

namespace {

using names = std::set<std::string>;

/// A scrape with a sample of every family.
std::string full_scrape(const std::string& daemon) {
  admin_node_status node;
  node.mounts.resize(1);
  admin_hub_status hub;
  hub.nodes.resize(1);
  hub.peers.resize(1);
  return daemon == "node" ? metrics_text(node) : metrics_text(hub);
}

struct served_family {
  int helps = 0;
  int types = 0;
  int samples = 0;
  std::string type;
};

/// All samples of a family stand below its HELP and TYPE, whose text is not empty.
std::map<std::string, served_family> families_in(const std::string& scrape) {
  static const std::regex help("# HELP ([^ ]+) .+");
  static const std::regex type("# TYPE ([^ ]+) (counter|gauge)");
  static const std::regex sample(R"re(([^ {]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [^ ]+)re");
  std::map<std::string, served_family> families;
  std::string current;
  std::istringstream lines(scrape);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    std::smatch part;
    if (std::regex_match(line, part, help)) {
      current = part[1];
      ++families[current].helps;
    } else if (std::regex_match(line, part, type)) {
      CHECK(part[1] == current);
      ++families[current].types;
      families[current].type = part[2];
    } else {
      REQUIRE(std::regex_match(line, part, sample));
      CHECK(part[1] == current);
      ++families[current].samples;
    }
  }
  return families;
}

/// Base units, and those at the end of a name.
void check_units(std::string name) {
  if (name.ends_with("_total")) name.resize(name.size() - std::string("_total").size());
  static const std::regex other_unit(
      "(^|_)(milli|micro|nano|kilo|mega|giga|kibi|mebi|gibi)?"
      "(ms|us|ns|second|minutes?|hours?|days?|byte|bits?|k?i?b|mi?b|gi?b|percent|time)(_|$)"
      "|(milli|micro|nano)seconds|(kilo|mega|giga|kibi|mebi|gibi)bytes");
  CHECK_FALSE(std::regex_search(name, other_unit));
  for (const std::string unit : {"_seconds", "_bytes"})
    if (name.find(unit + "_") != std::string::npos) FAIL_CHECK(unit << " is not at the end");
}

/// The names in backticks of the part of docs/metrics.md below `title`: of its table those in the first
/// column.
names documented(const std::string& title) {
  std::ifstream file("docs/metrics.md");
  static const std::regex quoted("`([a-z_]+)(\\{[a-z_,]+\\})?`");
  names found;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + title;
    if (!inside) continue;
    const auto part = line.starts_with("| ") ? line.substr(0, line.find(" | ")) : line;
    for (std::sregex_iterator at(part.begin(), part.end(), quoted), end; at != end; ++at)
      found.insert((*at)[1]);
  }
  return found;
}

}  // namespace

TEST_CASE("metrics keep to Prometheus' conventions, and each is in the manual") {
  const auto daemon = GENERATE(as<std::string>(), "node", "hub");
  const std::string prefix = "firstlight_";
  names served;
  for (const auto& [name, family] : families_in(full_scrape(daemon))) {
    INFO(name << ", a " << family.type);
    CHECK(std::regex_match(name, std::regex("firstlight(_[a-z]+)+")));
    CHECK(family.helps == 1);
    CHECK(family.types == 1);
    CHECK(family.samples == 1);
    CHECK((family.type == "counter") == name.ends_with("_total"));
    for (const std::string made_by_histograms : {"_count", "_sum", "_bucket"})
      CHECK_FALSE(name.ends_with(made_by_histograms));
    check_units(name);
    REQUIRE(name.starts_with(prefix));
    served.insert(name.substr(prefix.size()));
  }
  auto in_manual = documented(daemon == "node" ? "Node" : "Hub");
  CHECK_FALSE(in_manual.empty());
  in_manual.merge(documented("Both"));
  CHECK(served == in_manual);
}
