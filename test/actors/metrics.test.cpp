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
