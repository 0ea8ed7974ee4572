#include "test/e2e/streamed_image.hpp"

namespace firstlight {
namespace {

/// What may arrive twice: segments that came whole, but were not stored yet when the link broke.
constexpr std::uint64_t in_flight_bytes_max = 2U << 20U;

/// A program that reads all files of an image which is in mid-stream.
struct reading {
  explicit reading(cluster_options options = {.link_bytes_per_second = slow_link}) : all(std::move(options)) {
    image = make_streamed_image(all.folder() / "streamed");
    all.add(image.layout, "streamed:1");
    const auto before = all.link().bytes_to_client();
    const auto target = all.mount("streamed:1", "streamed");
    reader = all.run(hash_files(target));
    await_bytes(all, before + image.bytes / 4);
  }
  void check_ends_well() {
    check_reads_right(all, *reader, image);
    check_complete(all, "streamed:1");
    const auto received = all.bytes_received();
    CHECK(received >= image.bytes);
    CHECK(received < image.bytes + in_flight_bytes_max);
  }

  cluster all;
  streamed_image image;
  std::unique_ptr<running_program> reader;
};

}  // namespace

TEST_CASE("readers end with the right bytes when the hub is killed in mid-stream and started again") {
  if (!cluster::possible()) return;
  reading stream;
  stream.all.kill_hub();
  CHECK_FALSE(stream.reader->wait(std::chrono::milliseconds(0)));
  stream.all.start_hub();
  stream.check_ends_well();
  CHECK(stream.all.node_status()["link"]["reconnects"] >= 1);
}

TEST_CASE("a hub stops in order in mid-stream, and readers end with the right bytes when it is back") {
  if (!cluster::possible()) return;
  reading stream;
  CHECK(stream.all.stop_hub());
  CHECK_FALSE(stream.reader->wait(std::chrono::milliseconds(0)));
  stream.all.start_hub();
  stream.check_ends_well();
}

TEST_CASE("readers end with the right bytes when the link is cut in mid-stream and healed") {
  if (!cluster::possible()) return;
  reading stream;
  auto& link = stream.all.link();
  link.accept_new(false);
  link.cut();
  REQUIRE(eventually([&] { return stream.all.node_status()["link"]["state"] != "up"; }));
  CHECK_FALSE(stream.reader->wait(std::chrono::milliseconds(0)));
  link.accept_new(true);
  stream.check_ends_well();
}

TEST_CASE("readers end with the right bytes when the link falls silent until that is noticed") {
  if (!cluster::possible()) return;
  const std::vector<std::string> impatient{"link.silence_max=1s"};
  reading stream({impatient, impatient, slow_link});
  stream.all.link().stop();
  REQUIRE(eventually([&] { return stream.all.node_status()["link"]["state"] != "up"; }));
  REQUIRE(eventually([&] { return stream.all.hub_status()["nodes"].empty(); }));
  stream.all.link().cut();
  stream.all.link().resume();
  stream.check_ends_well();
}

TEST_CASE("readers end with the right bytes when the link only pauses") {
  if (!cluster::possible()) return;
  reading stream;
  stream.all.link().stop();
  const auto status = stream.all.node_status();  // the daemon answers meanwhile
  CHECK(status["mounts"][0]["complete"] == false);
  stream.all.link().resume();
  stream.check_ends_well();
  CHECK(stream.all.node_status()["link"]["reconnects"] == 0);
}

TEST_CASE("readers end with the right bytes when bits are flipped on the wire") {
  if (!cluster::possible()) return;
  reading stream;
  auto& link = stream.all.link();
  for (int time = 1; time <= 2; ++time) {
    link.flip_bit_to_client(100'000);
    REQUIRE(eventually([&] { return stream.all.node_status()["link"]["reconnects"] >= time; }));
  }
  stream.check_ends_well();
}

}  // namespace firstlight
