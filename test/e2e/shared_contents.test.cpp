#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t file_bytes = 1U << 20U;
const std::string first_shared = "data/f210";
const std::string second_shared = "data/f211";

/// Two files that all such images have, behind others that none else has.
void add_image(cluster& all, const std::string& name, std::uint64_t seed) {
  tar_builder tar;
  tar.folder("data/");
  for (std::uint64_t file = 0; file < 8; ++file)
    tar.file("data/f" + std::to_string(100 + file), incompressible(seed + file, file_bytes));
  tar.file(first_shared, incompressible(1, file_bytes)).file(second_shared, incompressible(2, file_bytes));
  write_layout(all.folder() / name, {tar.take()}, layer_packing::plain);
  all.add(all.folder() / name, name + ":1");
}

void read(cluster& all, const std::filesystem::path& file) {
  auto reader = all.run({"cat", file.string()});
  REQUIRE(reader->wait(std::chrono::minutes(1)) == program_end{0, 0});
}

}  // namespace

TEST_CASE("of two starts that share contents each trace has what its own program has read") {
  if (!cluster::possible()) return;
  // So slow that neither file is there before somebody asks for it.
  cluster all({.node = {"mount_mode=hybrid", "recording.settle_time=10m", "recording.time_max=10m"},
               .link_bytes_per_second = 1'500'000});
  add_image(all, "app", 1'000);
  add_image(all, "side", 2'000);
  const bool both = GENERATE(true, false);
  if (!both) check_good(all.on_node({"trace", "off", "side:1"}));
  const auto app = all.mount("app:1", "app");
  const auto side = all.mount("side:1", "side");
  // From then on files have the names of their contents, which are the same for both.
  REQUIRE(eventually([&] {
    const auto mounts = all.node_status()["mounts"];
    return mounts[0]["bytes_ready"] > 0 && mounts[1]["bytes_ready"] > 0;
  }));
  read(all, app / first_shared);
  read(all, side / second_shared);
  for (const std::string mount : {"app", "side"}) check_good(all.on_node({"umount", mount}));
  // Until its own trace is there each may learn from that of the other, its relative.
  CHECK(eventually([&] { return expected_files(all, "app:1") == std::set<std::string>{first_shared}; }));
  if (both) {
    CHECK(eventually([&] { return expected_files(all, "side:1") == std::set<std::string>{second_shared}; }));
  } else {
    CHECK(all.on_hub({"trace", "show", "side:1"}).reply["traces"].empty());
  }
}

}  // namespace firstlight
