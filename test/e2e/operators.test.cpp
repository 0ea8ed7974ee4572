#include <algorithm>

#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

nlohmann::json events_of(cluster& all, const std::string& kind) {
  nlohmann::json found = nlohmann::json::array();
  const auto said = all.on_node({"events"}).reply;
  for (const auto& one : said["events"])
    if (one["kind"] == kind) found.push_back(one["about"]);
  return found;
}

int debug_lines(cluster& all) {
  const auto log = all.node_log();
  int lines = 0;
  for (auto at = log.find(" debug: "); at != std::string::npos; at = log.find(" debug: ", at + 1)) ++lines;
  return lines;
}

void drain_for_a_moment(cluster& all) {
  check_good(all.on_node({"drain", "on"}));
  check_good(all.on_node({"drain", "off"}));
}

}  // namespace

TEST_CASE("operators drain, evict and reconnect; events tell of it") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  CHECK(all.on_node({"evict", "streamed:1"}).exit_code != 0);  // it is mounted
  REQUIRE(eventually([&] { return all.node_status()["deliveries"][0]["state"] == "complete"; }));
  check_good(all.on_node({"umount", "streamed"}));
  command_end evicted;
  REQUIRE(eventually([&] {
    evicted = all.on_node({"evict"});
    return evicted.exit_code == 0;  // busy while the receiver ends
  }));
  CHECK(evicted.reply["references"].size() == 1);
  CHECK(all.node_status()["store_bytes"] == 0);
  CHECK(all.on_node({"evict", "streamed:1"}).exit_code != 0);

  check_good(all.on_node({"drain", "on"}));
  const auto refused = all.on_node({"pull", "streamed:1"});
  CHECK(refused.exit_code != 0);
  CHECK(refused.errors.find("drains") != std::string::npos);
  CHECK(all.node_status()["draining"] == true);
  check_good(all.on_node({"drain", "off"}));
  check_good(all.on_node({"drain", "on", "--hub", "--socket", (all.folder() / "hub.sock").string()}));
  CHECK(all.on_node({"pull", "streamed:1"}).exit_code != 0);
  check_good(all.on_node({"drain", "off", "--hub", "--socket", (all.folder() / "hub.sock").string()}));
  check_good(all.on_node({"pull", "streamed:1"}));

  check_good(all.on_node({"reconnect"}));
  REQUIRE(eventually([&] { return all.node_status()["link"]["reconnects"] == 1; }));
  CHECK(all.on_node({"log-level", "loud"}).exit_code != 0);
  CHECK(events_of(all, "evicted").size() == 1);
  CHECK(events_of(all, "draining").size() == 1);
  CHECK(events_of(all, "mounted").size() == 1);
  CHECK(events_of(all, "unmounted").size() == 1);
}

TEST_CASE("what is under way goes on while hub and node drain, and no mount or pull begins") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.file_bytes = 1U << 20U});
  all.add(image.layout, "streamed:1");
  all.add(make_streamed_image(all.folder() / "other", {.files = 2, .file_bytes = 4096}).layout, "other:1");
  const auto target = all.mount("streamed:1", "streamed");
  check_good(all.on_node({"drain", "on"}));
  check_good(all.on_node({"drain", "on", "--hub", "--socket", (all.folder() / "hub.sock").string()}));
  auto reader = all.run(hash_files(target));
  REQUIRE(all.node_status()["mounts"][0]["complete"] == false);
  const std::vector<std::vector<std::string>> refused{
      {"mount", "other:1"}, {"mount", "streamed:1"}, {"pull", "other:1"}, {"pull", "streamed:1"}};
  for (const auto& command : refused) {
    const auto end = all.on_node(command);
    INFO(command[0] << " " << command[1] << ": " << end.errors);
    CHECK(end.exit_code != 0);
    CHECK(end.errors.find("drains") != std::string::npos);
    CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
  }
  CHECK(all.node_status()["mounts"].size() == 1);
  all.link().cut();  // what was under way is asked for anew
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  CHECK(all.node_status()["draining"] == true);
  CHECK(all.hub_status()["draining"] == true);
  check_good(all.on_node({"drain", "off"}));
  check_good(all.on_node({"drain", "off", "--hub", "--socket", (all.folder() / "hub.sock").string()}));
  all.mount("other:1", "other");
}

TEST_CASE("a node's log tells what happens at the level debug, until another level is set") {
  if (!cluster::possible()) return;
  cluster all;
  drain_for_a_moment(all);
  CHECK(debug_lines(all) == 0);
  check_good(all.on_node({"log-level", "debug"}));
  drain_for_a_moment(all);
  CHECK(all.node_log().find(" debug: draining") != std::string::npos);
  CHECK(all.node_log().find(" debug: not draining") != std::string::npos);
  check_good(all.on_node({"log-level", "info"}));
  const auto before = debug_lines(all);
  drain_for_a_moment(all);
  CHECK(debug_lines(all) == before);
}

}  // namespace firstlight
