#include "config/receiver_limits.hpp"
#include "model/platform.hpp"
#include "storage/database.hpp"
#include "test/e2e/streamed_image.hpp"

namespace firstlight {
namespace {

/// Inverts the byte in the middle of a file.
void damage(const std::filesystem::path& path) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto middle = static_cast<std::streamoff>(std::filesystem::file_size(path) / 2);
  file.seekg(middle);
  const auto byte = static_cast<char>(file.get());
  file.seekp(middle);
  file.put(static_cast<char>(~byte));
  REQUIRE(file.flush().good());
}

std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder))
    if (item.is_regular_file()) files.push_back(item.path());
  return files;
}

/// Overwrites the record of an image in the store of a daemon that has ended.
void damage_record(const std::filesystem::path& store, const std::string& image) {
  const auto metadata = database::open(store / "metadata").value();
  const auto key = image + '\0' + host_platform().text();
  REQUIRE(metadata->get({"image"}, key).value());
  REQUIRE(metadata->put({"image"}, key, "no message", durability::synced));
}

bool has_notice_of(const nlohmann::json& status, const std::string& image) {
  const auto& notices = status["notices"];
  return std::any_of(notices.begin(), notices.end(), [&](const auto& notice) {
    return notice.template get<std::string>().find(image + ": ") != std::string::npos;
  });
}

}  // namespace

TEST_CASE("segments that are damaged in the hub's cache are built anew") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  all.mount("streamed:1", "first");
  check_complete(all, "streamed:1");
  REQUIRE(all.stop_node());
  const auto cached = files_below(all.hub_store() / "cache");
  REQUIRE(cached.size() >= 8);
  for (const auto& segment : cached) damage(segment);

  std::filesystem::remove_all(all.node_store());
  all.start_node();
  all.await_joined();
  auto reader = all.run(hash_files(all.mount("streamed:1", "second")));
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  CHECK(all.node_status()["verification_failures"] == 0);
}

TEST_CASE(
    "a program that waits for a segment which its node refuses gets the right bytes when it comes again") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = slow_link});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto contents = files_below(all.hub_store() / "contents");
  damage(contents[3]);
  auto reader = all.run(hash_files(all.mount("streamed:1", "streamed")));
  REQUIRE(eventually([&] { return all.node_status()["verification_failures"] > 0; }));
  CHECK_FALSE(reader->wait(std::chrono::milliseconds(0)));
  damage(contents[3]);  // the second time restores it
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
}

TEST_CASE(
    "readers of what is damaged in the hub's store get EIO, status says why, and it heals with the hub") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto contents = files_below(all.hub_store() / "contents");
  REQUIRE(contents.size() == 8);
  damage(contents[3]);

  const auto target = all.mount("streamed:1", "streamed");
  CHECK(all.on_node({"wait", "streamed:1", "--timeout", "100s"}).exit_code != 0);
  const auto failures = all.node_status()["verification_failures"].get<std::uint32_t>();
  CHECK(failures >= 1);
  CHECK(failures <= 1 + receiver_limits().damaged_attempts_max);
  auto reader = all.run(hash_files(target));
  const auto end = reader->wait(std::chrono::minutes(1));
  REQUIRE(end);
  CHECK(end->exit_code != 0);
  CHECK(reader->errors().find("Input/output error") != std::string::npos);
  const auto status = all.node_status();
  INFO(status.dump(1));
  CHECK(status["mounts"][0]["failed_blocks"] > 0);
  CHECK(status["mounts"][0]["last_error"] != "");
  CHECK(status["deliveries"][0]["error"] != "");

  damage(contents[3]);  // the second time restores it
  REQUIRE(eventually([&] {
    auto again = all.run(hash_files(target));
    return again->wait(std::chrono::minutes(1)) == program_end{0, 0};
  }));
  auto healed = all.run(hash_files(target));
  check_reads_right(all, *healed, image);
  check_complete(all, "streamed:1");
}

TEST_CASE("hub and node start with a damaged record of an image, serve the others, and say which it is") {
  if (!cluster::possible()) return;
  cluster all;
  const std::string name = "docker.io/library/streamed:1";
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  all.add(image.layout, "bad:1");
  all.kill_hub();
  damage_record(all.hub_store(), "docker.io/library/bad:1");
  all.start_hub();
  all.await_joined();
  CHECK(has_notice_of(all.hub_status(), "docker.io/library/bad:1"));
  const auto command = "firstlight image rm docker.io/library/bad:1 --platform " + host_platform().text();
  CHECK(all.hub_status()["notices"].dump().find(command) != std::string::npos);
  CHECK(all.on_node({"pull", "bad:1"}).exit_code != 0);
  auto reader = all.run(hash_files(all.mount("streamed:1", "first")));
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  REQUIRE(all.on_hub({"image", "rm", "docker.io/library/bad:1", "--platform", host_platform().text()})
              .exit_code == 0);
  CHECK_FALSE(has_notice_of(all.hub_status(), "docker.io/library/bad:1"));
  all.add(image.layout, "bad:1");

  REQUIRE(all.stop_node());
  damage_record(all.node_store(), name);
  all.start_node();
  all.await_joined();
  CHECK(has_notice_of(all.node_status(), name));
  auto again = all.run(hash_files(all.mount("streamed:1", "second")));
  check_reads_right(all, *again, image);
  check_complete(all, "streamed:1");
  CHECK_FALSE(has_notice_of(all.node_status(), name));

  REQUIRE(all.on_node({"umount", "second"}).exit_code == 0);
  REQUIRE(all.stop_node());
  damage_record(all.node_store(), name);
  all.start_node();
  all.await_joined();
  const auto gone = all.on_node({"evict", "streamed:1"});
  REQUIRE(gone.exit_code == 0);
  CHECK(gone.reply["references"].size() == 1);
  CHECK_FALSE(has_notice_of(all.node_status(), name));
  auto anew = all.run(hash_files(all.mount("streamed:1", "third")));
  check_reads_right(all, *anew, image);
  check_complete(all, "streamed:1");
}

TEST_CASE("files that a complete image has lost on the node arrive again, and who reads them waits") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  const bool still_mounted = GENERATE(true, false);
  CAPTURE(mode, still_mounted);
  cluster all({.node = {"mount_mode=" + mode}});
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 8});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed");
  check_complete(all, "streamed:1");
  if (still_mounted)
    all.kill_node();
  else
    all.power_off_node();
  const auto contents = files_below(all.node_store() / "contents");
  REQUIRE(contents.size() == 8);
  std::filesystem::remove(contents[3]);
  std::filesystem::resize_file(contents[5], 0);

  all.link().stop();
  all.start_node();
  if (!still_mounted) CHECK(all.mount("streamed:1", "streamed") == target);
  auto reader = all.run(hash_files(target));
  REQUIRE(eventually([&] {
    const auto mounts = all.node_status()["mounts"];
    return mounts.size() == 1 && !mounts[0]["waiting"].empty();
  }));
  const auto status = all.node_status();
  CHECK(status["images_complete"] == 0);
  CHECK(status["notices"].dump().find("2 of the store's files were gone or cut short") != std::string::npos);
  all.link().resume();
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
  CHECK(all.node_status()["images_complete"] == 1);
  CHECK(all.bytes_received() < image.bytes / 2);
}

TEST_CASE("a mount goes on whose image's record is damaged, status says which it is, and a pull repairs it") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  const std::string name = "docker.io/library/streamed:1";
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  const auto target = all.mount("streamed:1", "streamed", mount_kind::writable);
  check_complete(all, "streamed:1");
  all.kill_node();
  damage_record(all.node_store(), name);
  all.start_node();
  all.await_joined();
  CHECK(has_notice_of(all.node_status(), name));
  REQUIRE(eventually([&] { return all.node_status()["mounts"].size() == 1; }));
  // Neither takes from it what the mount may read.
  CHECK(all.on_node({"evict", "streamed:1"}).exit_code != 0);
  all.on_node({"evict"});
  auto reader = all.run(hash_files(target));
  check_reads_right(all, *reader, image);

  REQUIRE(all.on_node({"pull", "streamed:1"}).exit_code == 0);
  CHECK_FALSE(has_notice_of(all.node_status(), name));
  CHECK(all.node_status()["images_complete"] == 1);
  CHECK(hashes_of(all, target) == hashes_of(all, image.tree));
  REQUIRE(all.on_node({"umount", "streamed"}).exit_code == 0);
  REQUIRE(all.on_node({"evict", "streamed:1"}).exit_code == 0);
  CHECK(eventually([&] { return all.node_status()["store_bytes"] == 0; }));
}

TEST_CASE(
    "a table of contents that a power cut has damaged on the node is fetched again, and the image starts") {
  if (!cluster::possible()) return;
  cluster all;
  const auto image = make_streamed_image(all.folder() / "streamed", {.files = 4});
  all.add(image.layout, "streamed:1");
  all.mount("streamed:1", "first");
  check_complete(all, "streamed:1");
  REQUIRE(all.stop_node());
  for (const auto& toc : files_below(all.node_store() / "tocs")) std::filesystem::resize_file(toc, 0);

  all.start_node();
  all.await_joined();
  auto reader = all.run(hash_files(all.mount("streamed:1", "second")));
  check_reads_right(all, *reader, image);
  check_complete(all, "streamed:1");
}

}  // namespace firstlight
