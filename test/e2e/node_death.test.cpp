#include <csignal>

#include "test/e2e/streamed_image.hpp"

namespace firstlight {

TEST_CASE("a node killed in mid-stream keeps what was whole and ends with the right bytes") {
  if (!cluster::possible()) return;
  cluster all({.node = {"checkpoint_interval=100ms"}, .link_bytes_per_second = slow_link});
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
  CHECK(all.mounts().empty());
}

TEST_CASE("a complete image mounts after a restart of the node while the hub is down") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  all.kill_node();
  all.kill_hub();
  all.start_node();
  auto reader = all.run(hash_files(all.mount("streamed:1", "streamed")));
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

TEST_CASE("a node that is stopped while readers wait ends well and leaves no mount") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link});
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
  CHECK(all.mounts().empty());
  for (auto* reader : {plain.get(), overlay.get()}) {
    const auto end = reader->wait(std::chrono::seconds(30));
    REQUIRE(end);
    CHECK(end->exit_code > 0);
  }
}

}  // namespace firstlight
