#include "actors/metrics/metric_families.hpp"

#include <catch2/catch.hpp>

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
  const auto text = metrics_text(status);
  CHECK(text.find("firstlight_nodes 1\n") != std::string::npos);
  CHECK(text.find("firstlight_node_sent_bytes_total{node=\"n1\"} 7\n") != std::string::npos);
  CHECK(text.find("firstlight_traces_received_total 5\n") != std::string::npos);
}
