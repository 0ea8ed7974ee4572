#include <map>
#include <set>

#include "model/blocks.hpp"
#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

/// Reads the ends of the files that a node without a trace gets last.
std::vector<std::string> read_ends(const std::filesystem::path& target) {
  return {"sh", "-c", "cd \"$1\"/data && for f in f123 f120 f122 f121; do tail -c 10 $f || exit 1; done",
          "sh", target.string()};
}

using end_blocks = std::set<std::pair<std::string, std::uint32_t>>;  ///< path, number of the last block

/// What `read_ends` reads of files of two megabytes.
end_blocks ends_of_files() {
  constexpr std::uint32_t last = (2U << 20U) / default_block_bytes;
  return {{"data/f123", last}, {"data/f120", last}, {"data/f122", last}, {"data/f121", last}};
}

/// Of the runs that an order expects to be read.
end_blocks ends_of(const nlohmann::json& shown) {
  end_blocks ends;
  for (const auto& run : shown["order"])
    if (run["expected"] == true)
      ends.emplace(run["path"], run["first"].get<std::uint32_t>() + run["count"].get<std::uint32_t>() - 1);
  return ends;
}

void run_well(cluster& all, const std::vector<std::string>& program) {
  auto running = all.run(program);
  REQUIRE(running->wait(std::chrono::minutes(1)) == program_end{0, 0});
}

/// What has arrived when so much is there is decided by the order alone: the link is slow, and nobody asks.
void await_share(cluster& all, std::uint64_t bytes) {
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] >= bytes; }));
}

/// What it costs that not all is there yet.
struct start_cost {
  std::uint64_t misses = 0;
  std::uint64_t waited_ms = 0;  ///< by all reads together
};

/// Images of one file each that has the image's name: equal ones would share their traces.
void add_small_images(cluster& all, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto layout = all.folder() / name.substr(0, name.find(':'));
    write_layout(layout, {tar_builder().folder("data/").file("data/" + name, name).take()});
    all.add(layout, name);
  }
}

/// A start of such an image, from its mount to its end.
void start_small(cluster& all, const std::string& name, const std::string& group) {
  const auto mounted = all.on_node({"mount", name, "--optimize-group", group});
  check_good(mounted);
  const std::string target = mounted.reply["mount"]["target"];
  run_well(all, {"cat", target + "/data/" + name});
  check_good(all.on_node({"umount", target}));
}

std::string any_mode() {
  return GENERATE(as<std::string>(), "mount_mode=overlay", "mount_mode=hybrid", "mount_mode=fuse");
}

}  // namespace

TEST_CASE("what one start reads is sent first for the next node, and that one waits for nothing") {
  if (!cluster::possible()) return;
  // On a machine so busy that a program gets no turn for seconds a start would count as over before it is.
  cluster all({.node = {any_mode(), "recording.settle_time=10m", "recording.time_max=10m"},
               .link_bytes_per_second = 1'500'000});
  constexpr int round_trip_ms = 100;
  all.link().delay(std::chrono::milliseconds(round_trip_ms / 2));
  // So large that it is not there whole before the program ends, however slow this machine is.
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 24, .file_bytes = 2U << 20U});
  all.add(image.layout, "streamed:1");
  const auto start = [&] {
    const auto target = all.mount("streamed:1", "streamed");
    await_share(all, 600'000);  // more than all that the four reads are expected to need
    run_well(all, read_ends(target));
    const auto mount = all.node_status()["mounts"][0];
    CHECK(mount["complete"] == false);
    REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
    return start_cost{mount["misses"], mount["wait_total_ms"]};
  };
  const auto first = start();
  CHECK(first.misses >= 4);
  CHECK(first.waited_ms >= 4 * round_trip_ms);
  await_learned(all, "streamed", 1);
  const auto order = all.on_hub({"trace", "show", "streamed:1", "--order", "4"}).reply;
  CHECK(order["order"][0]["path"] == "data/f123");
  CHECK(order["order"][0]["read_percent"] == 100);
  CHECK(order["traces"][0]["node"] == "main");
  CHECK(order["traces"][0]["wait_ms"] > 0);
  REQUIRE(ends_of(order) == ends_of_files());
  all.next_node();
  const auto second = start();
  CHECK(second.misses == 0);
  CHECK(second.waited_ms <= first.waited_ms / 2);
  await_learned(all, "streamed", 2);
}

TEST_CASE("a start without FUSE is recorded by the files that it opens, also inside of a container") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}});
  all.add(make_shell_image(all.folder() / "layout"), "shell:1");
  check_good(all.on_node({"pull", "shell:1"}));
  auto program = all.start({"run", "--no-tty", "shell:1", "/bin/sh", "-c", "/bin/busybox cat /etc/passwd"});
  REQUIRE(program->wait(std::chrono::minutes(1)) == program_end{0, 0});
  await_learned(all, "shell", 1);
  const auto expected = expected_files(all, "shell:1");
  CHECK(expected.contains("bin/busybox"));
  CHECK(expected.contains("etc/passwd"));
}

TEST_CASE("a recording on purpose tells blocks, though all contents are there") {
  if (!cluster::possible()) return;
  cluster all({.hub = {"plan.dense.after=10ms"}});
  all.add(make_shell_image(all.folder() / "layout"), "shell:1");
  check_good(all.on_node({"pull", "shell:1"}));
  for (const int traces : {1, 2}) {
    auto program = all.start({"trace", "record", "--no-tty", "shell:1", "--", "/bin/sh", "-c", "true"});
    REQUIRE(program->wait(std::chrono::minutes(1)) == program_end{0, 0});
    await_learned(all, "shell", traces);
  }
  const auto shown = all.on_hub({"trace", "show", "shell:1"}).reply;
  CHECK(shown["traces"][0]["blocks"] > 10);
  const auto scores =
      all.on_hub({"trace", "score", "shell:1", "--order", "traced", "--order", "oracle"}).reply;
  REQUIRE(scores["rows"].size() == 4);
  CHECK(scores["rows"][0]["touched_bytes"] > 100'000);
  const auto packed =
      all.on_hub({"trace", "score", "shell:1", "--order", "traced", "--packed"}).reply["rows"][0];
  CHECK(packed["packed_touched_bytes"] < packed["touched_bytes"]);
  CHECK(packed["packed_sent_bytes"] >= packed["packed_touched_bytes"]);
  CHECK(eventually([&] { return all.hub_status()["segments_dense"] > 0; }));
  const auto picture = all.folder() / "plot.svg";
  check_good(all.on_hub({"trace", "plot", "shell:1", picture.string(), "--order", "traced"}));
  CHECK(text_of(picture).find("bin/busybox") != std::string::npos);
  CHECK(text_of(picture).find("last byte has arrived") != std::string::npos);
}

TEST_CASE("a recording on purpose tells of large files next to nothing that was not read") {
  if (!cluster::possible()) return;
  cluster all;
  tar_builder tar;
  tar.folder("data/");
  for (const std::string name : {"begin", "middle", "untouched"})
    tar.file("data/" + name, incompressible(name.size(), 4U << 20U));
  all.add(make_shell_image(all.folder() / "layout", R"({"Cmd":["sh"],"Env":["PATH=/usr/bin:/bin"]})",
                           {tar.take()}),
          "shell:1");
  check_good(all.on_node({"pull", "shell:1"}));
  const std::string one_byte = "/bin/busybox dd bs=1 count=1 ";
  auto program = all.start({"trace", "record", "--no-tty", "shell:1", "--", "/bin/sh", "-c",
                            one_byte + "if=/data/begin && " + one_byte + "if=/data/middle skip=2000000"});
  REQUIRE(program->wait(std::chrono::minutes(1)) == program_end{0, 0});
  await_learned(all, "shell", 1);
  const auto shown = all.on_hub({"trace", "show", "shell:1", "--order", "10000"}).reply;
  std::map<std::string, int> read;
  for (const auto& run : shown["order"])
    if (run["expected"] == true) read[run["path"]] += run["count"].get<int>();
  for (const std::string name : {"data/begin", "data/middle"}) {
    CAPTURE(name, read[name]);
    CHECK(read[name] >= 1);
    CHECK(read[name] <= 2);  // of 256
  }
  CHECK_FALSE(read.contains("data/untouched"));
  CHECK(read["bin/busybox"] > 2);
}

TEST_CASE("a trace reaches the hub when it is back, once, also if the node was restarted meanwhile") {
  if (!cluster::possible()) return;
  cluster all({.node = {"recording.retry_interval=100ms"}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 24, .file_bytes = 4096});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  all.kill_hub();
  run_well(all, read_ends(target));
  REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
  REQUIRE(eventually([&] { return all.node_status()["traces_unsent"] == 1; }));
  CHECK(all.stop_node());
  all.start_node();
  CHECK(all.node_status()["traces_unsent"] == 1);
  all.start_hub();
  await_learned(all, "streamed", 1);
  REQUIRE(eventually([&] { return all.node_status()["traces_unsent"] == 0; }));
  const auto list = all.on_hub({"trace", "ls"}).reply;
  CHECK(list["received"] == 1);
  CHECK(list["images"][0]["traces"] == 1);
}

TEST_CASE("a start that is recorded when its node stops is not lost") {
  if (!cluster::possible()) return;
  cluster all({.node = {"recording.settle_time=10m"}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 24, .file_bytes = 4096});
  all.add(image.layout, "streamed:1");
  run_well(all, read_ends(all.mount("streamed:1", "streamed")));
  REQUIRE(all.stop_node());
  all.start_node();
  await_learned(all, "streamed", 1);
}

TEST_CASE("a start that is recorded when its node is killed is sent with what it had read, and counts once") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode(), "recording.settle_time=10m", "recording.time_max=10m",
                        "recording.check_interval=50ms", "recording.keep_interval=100ms"}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 24, .file_bytes = 4096});
  all.add(image.layout, "streamed:1");
  run_well(all, read_ends(all.mount("streamed:1", "streamed")));
  REQUIRE(eventually([&] { return all.node_status()["files_recorded"] == 4; }));
  for (int death = 0; death < 2; ++death) {
    all.kill_node();
    all.start_node();
    await_learned(all, "streamed", 1);
  }
  CHECK(expected_files(all, "streamed:1") ==
        std::set<std::string>{"data/f120", "data/f121", "data/f122", "data/f123"});
  check_good(all.on_node({"umount", "streamed"}));
  CHECK(all.node_status()["traces_unsent"] == 0);
  CHECK(all.on_hub({"trace", "ls"}).reply["received"] == 1);
}

TEST_CASE("users say which starts are recorded") {
  if (!cluster::possible()) return;
  cluster all({.node = {"recording.mode=first", "recording.starts=1"}});
  add_small_images(all, {"silent:1", "told:1", "last:1"});
  check_good(all.on_node({"trace", "off", "silent:1"}));
  check_good(all.on_node({"trace", "off", "--group", "quiet"}));
  start_small(all, "silent:1", "loud");
  start_small(all, "told:1", "quiet");
  start_small(all, "told:1", "loud");  // the second start of its image
  check_good(all.on_node({"trace", "on", "told:1"}));
  start_small(all, "told:1", "quiet");
  start_small(all, "last:1", "loud");
  await_learned(all, "last", 1);  // traces are sent in the order of their starts
  CHECK(traced(all, "silent")["traces"] == 0);
  CHECK(traced(all, "told")["traces"] == 1);
  const auto groups =
      nlohmann::json::parse(all.on_hub({"trace", "export"}).reply["collection"].get<std::string>());
  CHECK(groups["Groups"].size() == 2);
  CHECK(all.on_node({"trace", "on", "told:1", "--group", "loud"}).exit_code != 0);
}

TEST_CASE("where nothing is recorded a start is that somebody asks for") {
  if (!cluster::possible()) return;
  cluster all({.node = {"recording.mode=never"}});
  add_small_images(all, {"silent:1", "told:1"});
  check_good(all.on_node({"trace", "on", "told:1"}));
  start_small(all, "silent:1", "loud");
  start_small(all, "told:1", "loud");
  await_learned(all, "told", 1);  // traces are sent in the order of their starts
  CHECK(traced(all, "silent")["traces"] == 0);
}

TEST_CASE("trace off ends the recording of a start that is under way, and keeps what it has") {
  if (!cluster::possible()) return;
  cluster all({.node = {"mount_mode=fuse", "recording.settle_time=10m", "recording.time_max=10m"},
               .link_bytes_per_second = 3'000'000});
  all.add(make_streamed_image(all.folder() / "streamed").layout, "streamed:1");
  const auto read = [&](const std::string& file) {
    run_well(all, {"tail", "-c", "10", (all.folder() / "mounts" / "streamed" / "data" / file).string()});
  };
  all.mount("streamed:1", "streamed");
  read("f123");
  check_good(all.on_node({"trace", "off", "streamed:1"}));
  read("f122");
  await_learned(all, "streamed", 1);  // while it is mounted, long before it settles
  CHECK(expected_files(all, "streamed:1") == std::set<std::string>{"data/f123"});
  check_good(all.on_node({"umount", "streamed"}));

  all.mount("streamed:1", "streamed");
  read("f121");
  check_good(all.on_node({"umount", "streamed"}));
  check_good(all.on_node({"trace", "on", "streamed:1"}));
  all.mount("streamed:1", "streamed");
  read("f120");
  check_good(all.on_node({"umount", "streamed"}));
  await_learned(all, "streamed", 2);
  CHECK(expected_files(all, "streamed:1") == std::set<std::string>{"data/f120", "data/f123"});
}

TEST_CASE("a collection is taken in, and given out with the same groups") {
  if (!cluster::possible()) return;
  cluster all;
  for (const std::string name : {"shop", "side"}) {
    write_layout(all.folder() / name, {tar_builder().file("a", name + "a").file("b", name + "b").take()});
    all.add(all.folder() / name, name + ":1");
  }
  const std::string text =
      R"({"Groups":[{"h":[{"f":"a","a":0,"w":1,"r":0,"s":0},{"f":"b","a":5,"w":0,"r":1,"s":1},)"
      R"({"f":"b","a":6,"w":0,"r":2,"s":0}],"i":[{"n":"docker.io/library/shop","t":"1"},)"
      R"({"n":"docker.io/library/side","t":"1"}]},)"
      R"({"h":[{"f":"b","a":2,"w":0,"r":0,"s":0}],"i":[{"n":"docker.io/library/side","t":"1"}]}]})";
  const auto file = all.folder() / "collection.json";
  std::ofstream(file) << text;
  CHECK(all.on_hub({"trace", "import", file.string()}).reply["added"] == 3);
  CHECK(all.on_hub({"trace", "import", file.string()}).reply["known"] == 3);
  const auto groups = [](const std::string& collection) {
    const auto list = nlohmann::json::parse(collection)["Groups"];
    return std::multiset<std::string>(list.size() == 2
                                          ? std::multiset<std::string>{list[0].dump(), list[1].dump()}
                                          : std::multiset<std::string>{});
  };
  CHECK(groups(all.on_hub({"trace", "export"}).reply["collection"]) == groups(text));
}

TEST_CASE("more traces than fit into one reply are taken in and given out") {
  if (!cluster::possible()) return;
  cluster all;
  tar_builder tar;
  std::vector<std::string> names;
  for (int i = 0; i < 4'000; ++i) {
    names.push_back(std::string(90, 'n') + std::to_string(i));
    tar.file(names.back(), std::to_string(i));
  }
  write_layout(all.folder() / "many", {tar.take()});
  all.add(all.folder() / "many", "many:1");
  const auto folder = all.folder() / "traces";
  std::filesystem::create_directory(folder);
  constexpr int traces = 40;  // of half a megabyte each
  for (int i = 0; i < traces; ++i) {
    std::ofstream out(folder / (std::to_string(i) + ".json"));
    out << R"({"group":"default","image":{"n":"many","t":"1"},"start":"2024-05-06T07:08:09Z","seq":[)";
    for (std::size_t at = 0; at < names.size(); ++at)
      out << (at == 0 ? "" : ",") << R"({"f":")" << names[at] << R"(","a":)" << (at * 1000 + i)
          << R"(,"w":0})";
    out << "]}";
  }
  CHECK(all.on_hub({"trace", "import", folder.string()}).reply["added"] == traces);
  const auto out = all.folder() / "out";
  check_good(all.on_hub({"trace", "export", "--to", out.string()}));
  int files = 0;
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(out)) {
    ++files;
    if (entry.path().filename() != "collection.json") bytes += entry.file_size();
  }
  CHECK(files == traces + 1);
  CHECK(bytes > 17'000'000);
}

TEST_CASE("a running delivery goes on in the order that was learned meanwhile") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = 1'000'000});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed");
  std::ofstream(all.folder() / "trace.json")
      << R"({"group":"default","image":{"n":"streamed","t":"1"},"start":"2024-05-06T07:08:09Z",)"
      << R"("seq":[{"f":"data/f123","a":1000,"w":0}]})";
  check_good(all.on_hub({"trace", "import", (all.folder() / "trace.json").string()}));
  await_learned(all, "streamed", 1);
  // What was on its way comes first; then the file that would have been the last, long before the end.
  const auto now = all.node_status()["mounts"][0]["bytes_ready"].get<std::uint64_t>();
  REQUIRE(now < image.bytes / 2);
  await_share(all, image.bytes - 1'500'000);
  run_well(all, {"sh", "-c", "head -c 10 \"$1\"/data/f123", "sh", target.string()});
  CHECK(all.node_status()["mounts"][0]["misses"] == 0);
}

}  // namespace firstlight
