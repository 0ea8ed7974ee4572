#include <csignal>

#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t file_bytes = 2U << 20U;  // more than may be on its way before both are planned
constexpr int files = 10;

/// Files f0, f1, ... of bytes that no other image has.
void add_image(cluster& all, const std::string& name, std::uint64_t seed) {
  tar_builder tar;
  for (int file = 0; file < files; ++file)
    tar.file("f" + std::to_string(file), incompressible(seed + static_cast<std::uint64_t>(file), file_bytes));
  write_layout(all.folder() / name, {tar.take()}, layer_packing::plain);
  all.add(all.folder() / name, name + ":1");
}

void read(cluster& all, const std::string& target, int file) {
  auto reader = all.run({"cat", target + "/f" + std::to_string(file)});
  REQUIRE(reader->wait(std::chrono::minutes(1)) == program_end{0, 0});
}

std::string start(cluster& all, const std::string& image) {
  auto mounted = all.on_node({"mount", image, "--optimize-group", "shop"});
  check_good(mounted);
  return mounted.reply["mount"]["target"];
}

void await_learned(cluster& all, const std::string& image) {
  REQUIRE(eventually([&] {
    const auto list = all.on_hub({"trace", "ls"}).reply;
    for (const auto& one : list["images"])
      if (one["reference"].get<std::string>().find("/" + image + ":1") != std::string::npos)
        return one["learned_from"] == 1;
    return false;
  }));
}

struct arrived_bytes {
  std::uint64_t app = 0;
  std::uint64_t side = 0;
};
arrived_bytes arrived(cluster& all) {
  arrived_bytes bytes;
  const auto list = all.on_node({"ls"}).reply;
  for (const auto& image : list["images"])
    (image["reference"].get<std::string>().find("/app:") != std::string::npos ? bytes.app : bytes.side) =
        image["bytes_ready"];
  return bytes;
}

}  // namespace

TEST_CASE("images that were started together arrive together, in the order in which they were read") {
  if (!cluster::possible()) return;
  cluster all({.link_bytes_per_second = 16'000'000});
  add_image(all, "app", 1'000);
  add_image(all, "side", 2'000);
  // The side starts when the application has read what it needs: its own clock begins later.
  const auto app = start(all, "app:1");
  for (const int file : {9, 8}) read(all, app, file);
  const auto side = start(all, "side:1");
  read(all, side, 9);
  for (const auto& target : {app, side}) check_good(all.on_node({"umount", target}));
  await_learned(all, "app");
  await_learned(all, "side");
  const auto groups =
      nlohmann::json::parse(all.on_hub({"trace", "export"}).reply["collection"].get<std::string>());
  REQUIRE(groups["Groups"].size() == 1);
  CHECK(groups["Groups"][0]["i"].size() == 2);
  CHECK(groups["Groups"][0]["h"][0]["f"] == "f9");
  CHECK(groups["Groups"][0]["h"][2]["s"] == 1);

  all.link().rate(2'000'000);
  all.next_node();
  auto pull = all.start({"pull", "app:1", "side:1"});
  // Of either image that much may be on its way while the other is looked at.
  constexpr std::uint64_t slack = file_bytes / 2;
  REQUIRE(eventually([&] {
    const auto bytes = arrived(all);
    if (bytes.side > slack) CHECK(bytes.app >= file_bytes);
    if (bytes.side + slack < file_bytes) CHECK(bytes.app <= 2 * file_bytes + slack);
    return bytes.side + slack >= file_bytes;
  }));
  pull->signal(SIGTERM);
  static_cast<void>(pull->wait(std::chrono::seconds(20)));
}

}  // namespace firstlight
