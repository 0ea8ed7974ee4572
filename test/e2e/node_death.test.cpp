#include <csignal>

#include "test/e2e/streamed_image.hpp"

namespace firstlight {
namespace {

std::string any_mode() {
  return GENERATE(as<std::string>(), "mount_mode=overlay", "mount_mode=hybrid", "mount_mode=fuse");
}

/// However it goes: killed, or stopped as for an upgrade.
void lose_node(cluster& all) {
  if (GENERATE(true, false))
    all.kill_node();
  else
    REQUIRE(all.stop_node());
}

}  // namespace

TEST_CASE("programs wait while their node is dead, and end with the right bytes") {
  if (!cluster::possible()) return;
  const auto kind = GENERATE(mount_kind::read_only, mount_kind::writable);
  cluster all({.node = {"checkpoint_interval=100ms", any_mode()}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", kind);
  auto reader = all.run(hash_files(target));
  for (const auto share : {4U, 2U}) {
    REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > image.bytes / share; }));
    all.kill_node();
    CHECK_FALSE(reader->wait(std::chrono::milliseconds(200)));
    CHECK_FALSE(all.mounts().empty());
    all.start_node();
  }
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  const auto mounts = all.node_status()["mounts"];
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0]["name"] == "streamed");
  CHECK(mounts[0]["target"] == target.string());
  CHECK(mounts[0]["read_only"] == (kind == mount_kind::read_only));
  CHECK(all.bytes_received() < image.bytes - image.bytes / 4);
  REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
  CHECK(all.mounts().empty());
  CHECK(all.stop_node());
}

TEST_CASE("a mount outlives the death of its node between the two parts of its table of contents") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 600, .file_bytes = 16});
  all.add(image.layout, "streamed:1");
  all.add(make_streamed_image(all.folder() / "first", {.files = 1, .file_bytes = 16}).layout, "first:1");
  REQUIRE(all.on_node({"pull", "first:1"}).exit_code == 0);  // ends the padding that opens the connection
  all.link().rate(20'000);                                   // a second for the contents' ids
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  auto reader = all.run(hash_files(target));
  CHECK(all.node_status()["mounts"][0]["bytes_ready"] == 0);
  all.kill_node();
  const auto is_contents = [](const auto& file) { return file.path().extension() == ".contents"; };
  const std::filesystem::directory_iterator tocs(all.node_store() / "tocs");
  REQUIRE(std::count_if(begin(tocs), end(tocs), is_contents) ==
          1);  // of the first image; else the link is too fast
  all.link().rate(0);
  all.start_node();
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
}

TEST_CASE("open files, what was written and automatic names outlive the end of a node") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  const auto mounted = all.on_node({"mount", "streamed:1"});
  REQUIRE(mounted.exit_code == 0);
  const std::filesystem::path target = mounted.reply["mount"]["target"];
  check_complete(all, "streamed:1");
  std::ofstream(target / "data" / "new") << "written";
  // The kernel asks at the first close(2) only: later ones, as when this process forks, need no node.
  std::ifstream(target / "data" / "f100").get();
  std::ifstream open_file(target / "data" / "f101");
  std::fstream log(target / "data" / "f102", std::ios::in | std::ios::out);
  log << "before" << std::flush;
  lose_node(all);
  all.kill_hub();
  all.start_node();
  auto reader = all.run(hash_files(target));
  const auto end = reader->wait(std::chrono::minutes(1));
  REQUIRE(end == program_end{0, 0});
  CHECK(reader->output().find("./data/new") != std::string::npos);
  const std::string rest{std::istreambuf_iterator<char>(open_file), {}};
  CHECK(rest.size() == (512U << 10U) + 1);
  open_file.close();
  log << "after" << std::flush;
  CHECK(log.good());
  log.close();
  std::string line(11, ' ');
  std::ifstream(target / "data" / "f102").read(line.data(), 11);
  CHECK(line == "beforeafter");
  const auto second = all.on_node({"mount", "streamed:1"});
  REQUIRE(second.exit_code == 0);
  CHECK(second.reply["mount"]["name"] != mounted.reply["mount"]["name"]);
  REQUIRE(all.on_node({"umount", target.string()}).exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(target));
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
  CHECK(eventually([&] { return !std::filesystem::exists(all.folder() / "run" / "keeper.sock"); }));
}

TEST_CASE("a mount whose image the next node does not have ends with an error at once") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  auto reader = all.run(hash_files(all.mount("streamed:1", "streamed", mount_kind::writable)));
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > image.bytes / 4; }));
  all.kill_node();
  std::filesystem::rename(all.node_store() / "tocs", all.folder() / "gone");
  all.start_node();
  const auto end = reader->wait(std::chrono::seconds(20));
  REQUIRE(end);
  CHECK(end->exit_code > 0);
  CHECK(all.mounts().empty());
}

TEST_CASE("a node that cannot serve leaves the mounts of an earlier process to the next one") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  auto reader = all.run(hash_files(all.mount("streamed:1", "streamed", mount_kind::writable)));
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > image.bytes / 4; }));
  all.kill_node();
  const auto socket = all.folder() / "node.sock";
  std::filesystem::remove(socket);
  std::ofstream(socket) << "not a socket";
  CHECK_THROWS(all.start_node());
  std::filesystem::remove(socket);
  CHECK_FALSE(reader->wait(std::chrono::milliseconds(0)));
  all.start_node();
  check_reads_right(all, *reader, image);
}

TEST_CASE("a mount at a link is taken over, and taken down with its layer") {
  if (!cluster::possible()) return;
  cluster all;
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  const auto real = all.folder() / "real";
  std::filesystem::create_directory(real);
  std::filesystem::create_directory_symlink(real, all.folder() / "link");
  const auto link = (all.folder() / "link").string() + "/";
  REQUIRE(all.on_node({"mount", "streamed:1", link}).exit_code == 0);
  CHECK(all.on_node({"mount", "streamed:1", real.string()}).exit_code != 0);
  all.kill_node();
  all.start_node();
  const auto layers = [&] { return all.on_node({"layer", "ls"}).reply["layers"]; };
  REQUIRE(eventually([&] { return all.node_status()["mounts"].size() == 1; }));
  CHECK(layers()[0]["references"] == 1);
  REQUIRE(all.on_node({"umount", link}).exit_code == 0);
  CHECK(all.mounts().empty());
  CHECK(layers().empty());
}

TEST_CASE("a node that is stopped as soon as it has come back takes its mounts down") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  for (const std::string name : {"a", "b", "c", "d"}) all.mount("streamed:1", name, mount_kind::writable);
  all.kill_node();
  all.start_node();
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
}

TEST_CASE("a file of a mount that was detached before its node ended stays readable") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2}).layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  std::ifstream(target / "data" / "f100").get();
  std::ifstream open_file(target / "data" / "f101");
  REQUIRE(all.on_node({"umount", "--lazy", "streamed"}).exit_code == 0);
  lose_node(all);
  all.start_node();
  const std::string bytes{std::istreambuf_iterator<char>(open_file), {}};
  CHECK(bytes.size() == (512U << 10U) + 1);
  open_file.close();
  CHECK(eventually([&] { return all.node_status()["mounts"].empty(); }));
}

TEST_CASE("readers get an error when no node comes back in time") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode(), "keeper.takeover_wait=200ms"}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  auto reader = all.run(hash_files(all.mount("streamed:1", "streamed", mount_kind::read_only)));
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > image.bytes / 4; }));
  lose_node(all);
  const auto end = reader->wait(std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end->exit_code > 0);
  CHECK_FALSE(std::filesystem::exists(all.folder() / "run" / "keeper.sock"));
  all.start_node();
  CHECK(all.mounts().empty());
}

TEST_CASE("a second node does not take the run folder of the first") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 1});
  all.add(image.layout, "streamed:1");
  all.mount("streamed:1", "streamed");
  auto second =
      all.start({"node", "--config", "/dev/null", "--set", "run_folder=" + (all.folder() / "run").string(),
                 "--set", "store_folder=" + (all.folder() / "other").string(), "--set",
                 "socket=" + (all.folder() / "other.sock").string()});
  const auto end = second->wait(std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end->exit_code > 0);
  CHECK(second->errors().find("run_folder") != std::string::npos);
  CHECK_FALSE(all.mounts().empty());
}

TEST_CASE("a node without a keeper that is killed in mid-stream keeps what was whole") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode(), "checkpoint_interval=100ms", "keeper.takeover_wait=0ms"},
               .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  auto first = all.run(hash_files(target));
  REQUIRE(eventually([&] { return all.node_status()["mounts"][0]["bytes_ready"] > image.bytes / 2; }));
  all.kill_node();
  const auto end = first->wait(std::chrono::seconds(30));
  REQUIRE(end);
  CHECK(end->exit_code != 0);
  CHECK_FALSE(all.mounts().empty());

  all.start_node();
  CHECK(all.mounts().empty());
  all.await_joined();
  auto second = all.run(hash_files(all.mount("streamed:1", "streamed", mount_kind::writable)));
  check_reads_right(all, *second, image);
  check_complete(all, "streamed:1");
  CHECK(all.bytes_received() < image.bytes - image.bytes / 4);
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
}

TEST_CASE("a complete image mounts after a restart of the node while the hub is down") {
  if (!cluster::possible()) return;
  cluster all({.node = {"keeper.takeover_wait=0ms"}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  all.kill_node();
  all.kill_hub();
  all.start_node();
  auto reader = all.run(hash_files(all.mount("streamed:1", "again")));
  check_reads_right(all, *reader, image);
  const auto status = all.node_status();
  CHECK(status["link"]["state"] != "up");
  CHECK(status["images_complete"] == 1);
  CHECK(status["deliveries"].empty());
}

TEST_CASE("a process that is killed while it waits for contents ends at once") {
  if (!cluster::possible()) return;
  const auto kind = GENERATE(mount_kind::read_only, mount_kind::writable);
  cluster all({.link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", kind);
  all.link().stop();
  auto reader = all.run({"sh", "-c", "exec cat \"$1\"/data/*", "sh", target.string()});
  REQUIRE(eventually([&] {
    const auto status = all.node_status();
    const auto& waiting = status["mounts"][0]["waiting"];
    return !waiting.empty() && waiting[0]["pid"] == reader->pid();
  }));
  reader->signal(SIGKILL);
  CHECK(reader->wait(std::chrono::seconds(5)) == program_end{-1, SIGKILL});
  all.link().resume();
  check_complete(all, "streamed:1");
  CHECK(all.node_status()["mounts"][0]["waiting"].empty());
}

TEST_CASE("a complete hybrid mount is read without its node, and the next one knows it") {
  if (!cluster::possible()) return;
  const std::string wait = GENERATE("keeper.takeover_wait=0ms", "keeper.takeover_wait=1m");
  const bool stopped = GENERATE(true, false);
  cluster all({.node = {"mount_mode=hybrid", wait}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  REQUIRE(all.on_node({"pull", "streamed:1"}).exit_code == 0);
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  std::ofstream used(target / "data" / "new");
  if (stopped)
    CHECK(all.stop_node());
  else
    all.kill_node();
  auto reader = all.run(hash_files(target));
  REQUIRE(reader->wait(std::chrono::minutes(1)) == program_end{0, 0});
  used << "written while no node lived";
  used.close();
  all.start_node();
  REQUIRE(eventually([&] { return all.node_status()["mounts"].size() == 1; }));
  CHECK(all.node_status()["mounts"][0]["mode"] == "hybrid");
  CHECK(eventually([&] { return all.node_status()["mounts"][0]["complete"] == true; }));
  CHECK(std::filesystem::file_size(target / "data" / "new") == 27);
  REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
}

}  // namespace firstlight
