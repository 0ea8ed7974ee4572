#include <ctime>

#include "test/e2e/streamed_image.hpp"
#include "test/harness/image_oracle.hpp"

namespace firstlight {
namespace {

/// Runs to its end; its output.
std::string run_well(cluster& all, const std::vector<std::string>& arguments) {
  auto program = all.run(arguments);
  const auto end = program->wait(std::chrono::minutes(20));
  INFO(program->output() << program->errors());
  REQUIRE(end == program_end{0, 0});
  return program->output();
}

}  // namespace

TEST_CASE("real programs do their work on a mount", "[.][all]") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  auto layout = run_well(all, {"test/images/make-image", "workshop"});
  layout.pop_back();
  all.add(layout, "workshop:1");
  run_well(all, {"sh", "-c", "cd '" + all.folder().string() + "' && apt-get -qq download hello"});
  const auto root = all.mount("workshop:1", "workshop", mount_kind::writable);
  const auto package = run_well(all, {"sh", "-c", "ls '" + all.folder().string() + "'/hello_*.deb"});
  const auto said = run_well(
      all, {"test/e2e/real-programs", root.string(), package.substr(0, package.find_last_not_of('\n') + 1)});
  for (const auto* program : {"apt-get", "gcc", "git", "sqlite", "postgres", "tar", "setuid"}) {
    CAPTURE(program);
    CHECK(said.find(std::string(program) + "\n") != std::string::npos);
  }
  REQUIRE(all.on_node({"umount", "workshop"}).exit_code == 0);
  CHECK(all.mounts().empty());
}

TEST_CASE("rsync -aHAX of a mount is the image", "[.][all]") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  auto layout = run_well(all, {"test/images/make-image", "redis"});
  layout.pop_back();
  all.add(layout, "redis:1");
  const auto since = std::time(nullptr) - 1;
  run_well(all, {"umoci", "unpack", "--image", layout + ":latest", (all.folder() / "bundle").string()});
  const auto root = all.mount("redis:1", "redis", mount_kind::writable);
  const auto copy = all.folder() / "copy";
  run_well(all, {"rsync", "-aHAX", "--numeric-ids", root.string() + "/", copy.string() + "/"});
  const auto expected = observe_folder(all.folder() / "bundle" / "rootfs");
  CHECK(differences(expected, observe_folder(copy), {.unpacked_since = since, .directory_links = false}) ==
        std::vector<std::string>{});
}

}  // namespace firstlight
