#include <regex>
#include <set>

#include "test/e2e/other_machine.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

/// What curl gets, with the answer's code at the end; 000: nobody answers.
std::string asked(cluster& all, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"curl", "-s", "--max-time", "15", "-w", "%{http_code}"});
  auto program = all.run(arguments);
  REQUIRE(program->wait(std::chrono::seconds(20)));
  return program->output();
}

/// The answer of `daemon` ("hub" or "node") on a port of loopback to who has that certificate.
std::string got_by(cluster& all, const std::string& daemon, const std::string& port, const std::string& path,
                   const std::string& certificate) {
  const auto pki = all.folder() / "pki";
  const auto host = "firstlight-" + daemon + ":" + port;
  return asked(all,
               {"--cacert", pki / "ca.crt", "--cert", pki / (certificate + ".crt"), "--key",
                pki / (certificate + ".key"), "--resolve", host + ":127.0.0.1", "https://" + host + path});
}

/// As a monitoring system gets it.
std::string got(cluster& all, const std::string& daemon, const std::string& port, const std::string& path) {
  if (!std::filesystem::exists(all.folder() / "pki" / "monitor-prometheus.crt"))
    issued(all, "monitor", "prometheus");
  return got_by(all, daemon, port, path, "monitor-prometheus");
}

/// All that the expressions of a dashboard name, wherever in it they stand.
void note_metrics(const nlohmann::json& part, std::set<std::string>& names) {
  static const std::regex metric("firstlight_[a-z_]+");
  if (part.is_object() && part.contains("expr")) {
    const auto expression = part["expr"].get<std::string>();
    for (std::sregex_iterator at(expression.begin(), expression.end(), metric), end; at != end; ++at)
      names.insert(at->str());
  }
  if (part.is_structured())
    for (const auto& inner : part) note_metrics(inner, names);
}

std::set<std::string> served(const std::string& metrics) {
  static const std::regex line("(^|\n)(firstlight_[a-z_]+)[ {]");
  std::set<std::string> names;
  for (std::sregex_iterator at(metrics.begin(), metrics.end(), line), end; at != end; ++at)
    names.insert((*at)[2]);
  return names;
}

}  // namespace

TEST_CASE("a node serves metrics and health to monitors") {
  if (!cluster::possible()) return;
  cluster all;
  const auto port = free_port();
  const auto get = [&](const std::string& path) { return got(all, "node", port, path); };
  all.restart_node({"metrics_listen=127.0.0.1:" + port});
  REQUIRE(eventually([&] { return get("/readyz") == "ready\n200"; }));
  CHECK(get("/healthz") == "ok\n200");
  const auto metrics = get("/metrics");
  CHECK(metrics.find("firstlight_link_up 1\n") != std::string::npos);
  CHECK(metrics.find("firstlight_mounts 0\n") != std::string::npos);
  CHECK(get("/other").ends_with("404"));
  all.kill_hub();
  REQUIRE(eventually([&] { return get("/readyz").ends_with("503"); }));
  CHECK(get("/healthz") == "ok\n200");
  CHECK_THROWS(all.restart_node({"metrics_listen=no address"}));
}

TEST_CASE("a hub serves metrics and health to monitors, whether nodes have joined or not") {
  if (!cluster::possible()) return;
  const auto port = free_port();
  cluster all({.hub = {"metrics_listen=127.0.0.1:" + port}});
  const auto get = [&](const std::string& path) { return got(all, "hub", port, path); };
  CHECK(get("/readyz") == "ready\n200");
  CHECK(get("/healthz") == "ok\n200");
  CHECK(get("/metrics").find("firstlight_nodes 1\n") != std::string::npos);
  CHECK(get("/other").ends_with("404"));
  all.kill_node();
  REQUIRE(eventually([&] { return get("/metrics").find("firstlight_nodes 0\n") != std::string::npos; }));
  CHECK(get("/readyz") == "ready\n200");
  CHECK(get("/healthz") == "ok\n200");
  all.kill_hub();
  CHECK(get("/healthz").ends_with("000"));
}

TEST_CASE("metrics on an address are for monitors and admins of the cluster only, and never without TLS") {
  if (!cluster::possible()) return;
  const auto port = free_port();
  cluster all({.hub = {"metrics_listen=127.0.0.1:" + port, "revoked_nodes=monitor:gone"}});
  const auto get = [&](const std::string& certificate) {
    return got_by(all, "hub", port, "/healthz", certificate);
  };
  CHECK(get(issued(all, "monitor", "here")) == "ok\n200");
  CHECK(get(issued(all, "admin", "ops")) == "ok\n200");
  CHECK(get("node-main").ends_with("'firstlight pki issue monitor NAME' makes one\n403"));
  CHECK(get(issued(all, "monitor", "gone")) == "the certificate of monitor:gone has been revoked\n403");
  const auto pki = all.folder() / "pki";
  const auto host = "firstlight-hub:" + port;
  CHECK(asked(all, {"--cacert", pki / "ca.crt", "--resolve", host + ":127.0.0.1",
                    "https://" + host + "/healthz"}) == "000");  // without a certificate
  CHECK(asked(all, {"http://127.0.0.1:" + port + "/healthz"}).ends_with("000"));
  CHECK(get("monitor-here") == "ok\n200");
}

TEST_CASE("metrics on a UNIX socket need no certificate, and its file goes with the daemon") {
  if (!cluster::possible()) return;
  cluster all;
  const auto socket = all.folder() / "metrics.sock";
  all.restart_node({"metrics_listen=" + socket.string()});
  const auto get = [&](const std::string& path) {
    return asked(all, {"--unix-socket", socket, "http://node" + path});
  };
  REQUIRE(eventually([&] { return get("/readyz") == "ready\n200"; }));
  CHECK(get("/metrics").find("firstlight_link_up 1\n") != std::string::npos);
  CHECK((std::filesystem::status(socket).permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  all.kill_node();
  all.start_node();  // the killed one has left its file
  CHECK(get("/healthz") == "ok\n200");
  REQUIRE(all.stop_node());
  CHECK_FALSE(std::filesystem::exists(socket));
}

TEST_CASE("every metric that the dashboard draws is served by a hub or a node") {
  if (!cluster::possible()) return;
  const auto hub_port = free_port();
  const auto node_port = free_port();
  // Nobody is at that port: a peer that is away has its metrics too.
  cluster all({.hub = {"metrics_listen=127.0.0.1:" + hub_port, "peers=127.0.0.1:1"},
               .node = {"metrics_listen=127.0.0.1:" + node_port}});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  all.mount("streamed:1", "streamed");
  auto known = served(got(all, "hub", hub_port, "/metrics"));
  CHECK(known.size() > 5);
  known.merge(served(got(all, "node", node_port, "/metrics")));
  std::set<std::string> drawn;
  note_metrics(nlohmann::json::parse(text_of("packaging/grafana/firstlight.json")), drawn);
  CHECK(drawn.size() > 5);
  for (const auto& name : drawn) {
    INFO(name);
    CHECK(known.contains(name));
  }
}

}  // namespace firstlight
