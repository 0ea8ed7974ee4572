#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

using namespace std::chrono_literals;

command_end on_hub(cluster& all, const std::string& hub, const std::vector<std::string>& arguments) {
  return hub == "main" ? all.on_hub(arguments) : all.on_other_hub(hub, arguments);
}

nlohmann::json learned_from(cluster& all, const std::string& hub) {
  return find_traced(on_hub(all, hub, {"trace", "ls"}).reply, "streamed")["learned_from"];
}

void await_exchange(cluster& all, const std::string& hub) {
  REQUIRE(eventually([&] {
    const auto peers = on_hub(all, hub, {"status"}).reply["peers"];
    return peers.size() == 1 && peers[0]["exchanged_at"] > 0;
  }));
}

void start_middle(cluster& all) {
  all.start_other_hub("middle", {"peers=" + all.hub_address()});
}

/// Three hubs, of which each but the first has dialled the one before it: main, middle, end.
streamed_image make_line(cluster& all, const streamed_shape& shape) {
  const auto image = make_streamed_image(all.folder() / "streamed", shape);
  start_middle(all);
  all.start_other_hub("end", {"peers=" + all.other_hub_address("middle")});
  for (const std::string hub : {"main", "end"})
    check_good(on_hub(all, hub, {"image", "add", "oci:" + image.layout.string(), "--name", "streamed:1"}));
  for (const std::string hub : {"middle", "end"}) await_exchange(all, hub);
  return image;
}

/// A hub takes in that a start has opened this file. @returns when it had, milliseconds since the epoch
std::int64_t import_trace(cluster& all, const std::string& hub, const std::string& file) {
  const auto json = all.folder() / (file + ".json");
  std::ofstream(json) << R"({"group":"default","image":{"n":"streamed","t":"1"},)"
                      << R"("start":"2024-05-06T07:08:09Z","seq":[{"f":"data/)" << file
                      << R"(","a":1000,"w":0}]})";
  const auto imported = on_hub(all, hub, {"trace", "import", json.string()});
  check_good(imported);
  REQUIRE(imported.reply["added"] == 1);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

/// When a hub has learned an order of so many starts, milliseconds since the epoch.
std::int64_t learned_at(cluster& all, const std::string& hub, int starts) {
  const auto ending = "from " + std::to_string(starts) + " starts";
  std::int64_t at = 0;
  REQUIRE(eventually([&] {
    const auto events = on_hub(all, hub, {"events", "--hub"}).reply["events"];
    for (const auto& one : events)
      if (one["kind"] == "order learned" && one["about"].get<std::string>().ends_with(ending))
        at = one["at_ms"];
    return at != 0;
  }));
  return at;
}

void run_well(cluster& all, const std::vector<std::string>& program) {
  auto running = all.run(program);
  REQUIRE(running->wait(1min) == program_end{0, 0});
}

/// Mounts the image on a node that has nothing, and reads this file's first bytes once so much has arrived
/// unasked. @returns how many blocks had to be sent out of turn
int misses_of(cluster& all, const std::string& file, std::uint64_t after_bytes) {
  all.next_node();
  const auto target = all.mount("streamed:1", "streamed");
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] >= after_bytes; }));
  run_well(all, {"head", "-c", "10", (target / "data" / file).string()});
  const auto mount = all.node_status()["mounts"][0];
  CHECK(mount["complete"] == false);
  check_good(all.on_node({"umount", "streamed"}));
  return mount["misses"];
}

}  // namespace

TEST_CASE("a trace at one end of a line of hubs is an order at the other end within a second, both ways") {
  if (!cluster::possible()) return;
  cluster all;
  make_line(all, {.files = 24, .file_bytes = 4096});
  const auto there = import_trace(all, "main", "f123");
  CHECK(learned_at(all, "end", 1) - there < 1000);
  const auto back = import_trace(all, "end", "f122");
  CHECK(learned_at(all, "main", 2) - back < 1000);
  CHECK(eventually([&] { return learned_from(all, "end") == 2; }));
  const auto peers = all.on_other_hub("end", {"status"}).reply["peers"];
  REQUIRE(peers.size() == 1);
  CHECK(peers[0]["state"] == "up");
  CHECK(peers[0]["name"] == "main");       // all hubs of this test have that certificate
  CHECK(peers[0]["traces_fetched"] == 1);  // nothing came back a second time
  CHECK(peers[0]["traces_sent"] == 1);
  CHECK(all.hub_status()["joined_hubs"] == 1);
}

TEST_CASE(
    "a far hub's node gets first what starts elsewhere have read, also while the hub between was down") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = 1'500'000});
  // So large that it is not there whole before the program ends, however slow this machine is.
  make_line(all, {.files = 24, .file_bytes = 2U << 20U});
  const auto target = all.mount("streamed:1", "streamed");
  run_well(all, {"head", "-c", "10", (target / "data" / "f123").string()});
  check_good(all.on_node({"umount", "streamed"}));
  REQUIRE(eventually([&] { return learned_from(all, "end") == 1; }));
  all.restart_node({"recording.mode=never"});
  const auto far = all.other_hub_address("end");
  all.link().retarget(static_cast<std::uint16_t>(std::stoul(far.substr(far.rfind(':') + 1))));
  CHECK(misses_of(all, "f123", 600'000) == 0);

  all.kill_other_hub("middle");
  import_trace(all, "main", "f122");
  REQUIRE(eventually([&] { return learned_from(all, "main") == 2; }));
  CHECK(learned_from(all, "end") == 1);
  start_middle(all);
  REQUIRE(eventually([&] { return learned_from(all, "end") == 2; }));
  CHECK(misses_of(all, "f122", 1'000'000) == 0);
}

}  // namespace firstlight
