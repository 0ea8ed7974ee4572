#include <csignal>

#include "test/e2e/slow_image.hpp"
#include "test/harness/cluster/runc.hpp"

/// What becomes of mounts when a node is stopped as for an upgrade; node_death.test.cpp has those that are
/// killed.
namespace firstlight {
namespace {

std::string any_mode() {
  return GENERATE(as<std::string>(), "mount_mode=overlay", "mount_mode=hybrid", "mount_mode=fuse");
}

/// A program reads all of an image over a slow link, while the node is restarted twice.
void check_restarts_are_pauses(cluster& all, mount_kind kind) {
  const auto image = make_streamed_image(all.folder() / "streamed");
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", kind);
  auto reader = all.run(hash_files(target));
  for (const auto share : {4U, 2U}) {
    REQUIRE(eventually([&] {
      const auto mounts = all.node_status()["mounts"];
      return mounts.size() == 1 && mounts[0]["bytes_ready"] > image.bytes / share;
    }));
    REQUIRE(all.stop_node());
    CHECK_FALSE(reader->wait(std::chrono::milliseconds(200)));
    all.start_node();
  }
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  const auto mounts = all.node_status()["mounts"];
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0]["name"] == "streamed");
  CHECK(mounts[0]["read_only"] == (kind == mount_kind::read_only));
}

/// As the kernel is before Linux 6.9.
const std::vector<std::string> old_kernel{"mount_mode=overlay", "fuse.resend=false",
                                          "fuse.passthrough=false"};

}  // namespace

TEST_CASE("programs wait while their node is restarted, and end with the right bytes") {
  if (!cluster::possible()) return;
  const auto kind = GENERATE(mount_kind::read_only, mount_kind::writable);
  cluster all({.node = {any_mode()}, .link_bytes_per_second = slow_link});
  check_restarts_are_pauses(all, kind);
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
}

TEST_CASE(
    "where the kernel does not repeat requests the node tells the next one, but a crash ends its mounts") {
  if (!cluster::possible()) return;
  const auto kind = GENERATE(mount_kind::read_only, mount_kind::writable);
  cluster all({.node = old_kernel, .link_bytes_per_second = slow_link});
  check_restarts_are_pauses(all, kind);
  const auto target = all.folder() / "mounts" / "streamed";
  CHECK_FALSE(std::filesystem::exists(all.folder() / "run" / "lower" / "streamed" / "unanswered"));
  all.kill_node();
  std::error_code problem;
  CHECK_FALSE(std::filesystem::exists(target / "data" / "not looked up yet", problem));
  CHECK(problem);
  all.start_node();
  CHECK(all.mounts().empty());
}

TEST_CASE(
    "a program of firstlight run goes on while its node is restarted, and reads what arrives afterwards") {
  if (!cluster::possible()) return;
  // So slow that the program has begun long before its data is there.
  cluster all({.node = {any_mode()}, .link_bytes_per_second = 1'000'000});
  all.add(make_slow_image(all.folder() / "slow"), "slow:1");
  const auto plain = all.folder() / "plain";
  std::filesystem::create_directories(plain / "data");
  for (int file = 0; file < 8; ++file)
    std::ofstream(plain / "data" / ("f" + std::to_string(file)), std::ios::binary)
        << incompressible(7 + static_cast<std::uint64_t>(file), 1U << 20U);
  auto program = all.start({"run", "--no-tty", "--name", "app", "slow:1", "/bin/sh", "-c",
                            "echo written > /tmp/file; echo ready; cd /; sha256sum data/*; cat /tmp/file"});
  REQUIRE(eventually([&] { return program->output() == "ready\n" || !program->errors().empty(); }));
  if (runc_is_hindered(all, *program)) return;
  all.link().stop();
  REQUIRE(eventually([&] {
    const auto mounts = all.node_status()["mounts"];
    return mounts.size() == 1 && !mounts[0]["waiting"].empty();
  }));
  REQUIRE(all.stop_node());
  CHECK_FALSE(program->wait(std::chrono::milliseconds(200)));
  all.start_node();
  all.link().rate(0);
  all.link().resume();
  const auto end = program->wait(std::chrono::minutes(2));
  INFO(program->errors());
  REQUIRE(end == program_end{0, 0});
  auto hashes = all.run({"sh", "-c", "cd \"$1\" && sha256sum data/*", "sh", plain.string()});
  REQUIRE(hashes->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(program->output() == "ready\n" + hashes->output() + "written\n");
  // The new node takes down what the command had the old one mount.
  CHECK(eventually([&] { return all.on_node({"ls"}).reply["mounts"].empty(); }));
  CHECK(all.mounts().empty());
}

TEST_CASE("a process that waits since before a restart of its node can be killed") {
  if (!cluster::possible()) return;
  const std::string resend = GENERATE("fuse.resend=true", "fuse.resend=false");
  cluster all({.node = {"mount_mode=overlay", resend}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed");
  all.link().stop();
  auto reader = all.run({"sh", "-c", "exec cat \"$1\"/data/*", "sh", target.string()});
  const auto waits = [&] {
    const auto mounts = all.node_status()["mounts"];
    return mounts.size() == 1 && !mounts[0]["waiting"].empty() &&
           mounts[0]["waiting"][0]["pid"] == reader->pid();
  };
  REQUIRE(eventually(waits));
  REQUIRE(all.stop_node());
  all.start_node();
  REQUIRE(eventually(waits));
  reader->signal(SIGKILL);
  CHECK(reader->wait(std::chrono::seconds(5)) == program_end{-1, SIGKILL});
  all.link().resume();
  check_complete(all, "streamed:1");
  CHECK(all.node_status()["mounts"][0]["waiting"].empty());
}

TEST_CASE("a mount that nobody uses goes with its node") {
  if (!cluster::possible()) return;
  cluster all({.node = {any_mode()}});
  all.add(make_streamed_image(all.folder() / "streamed", {.files = 1}).layout, "streamed:1");
  all.mount("streamed:1", "streamed", mount_kind::writable);
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
  CHECK(eventually([&] { return !std::filesystem::exists(all.folder() / "run" / "keeper.sock"); }));
}

TEST_CASE("a node without a keeper that is stopped while readers wait ends well and leaves no mount") {
  if (!cluster::possible()) return;
  cluster all(
      {.node = {"mount_mode=overlay", "keeper.takeover_wait=0ms"}, .link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  auto plain = all.run(hash_files(all.mount("streamed:1", "plain", mount_kind::read_only)));
  auto overlay = all.run(hash_files(all.mount("streamed:1", "overlay", mount_kind::writable)));
  all.link().stop();
  REQUIRE(eventually([&] {
    const auto status = all.node_status();
    return !status["mounts"][0]["waiting"].empty() && !status["mounts"][1]["waiting"].empty();
  }));
  CHECK(all.stop_node());
  CHECK(all.all_mounts().empty());
  for (auto* reader : {plain.get(), overlay.get()}) {
    const auto end = reader->wait(std::chrono::seconds(30));
    REQUIRE(end);
    CHECK(end->exit_code > 0);
  }
}

}  // namespace firstlight
