#include <sys/mount.h>

#include "test/e2e/real_image.hpp"
#include "test/e2e/shell_image.hpp"

/// `./dev demo`, as it is after building.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// Processes whose command line names `folder`.
std::vector<std::string> processes_of(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& process : fs::directory_iterator("/proc")) {
    const auto name = process.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    auto command = text_of(process.path() / "cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    if (command.find(folder.string()) != std::string::npos) found.push_back(command);
  }
  return found;
}

/// Runs the demo with a folder of its own for what is temporary, which has to be empty afterwards.
/// @returns the last line of what it says
nlohmann::json run_demo(cluster& all, const std::vector<std::string>& arguments) {
  const auto temporary = all.folder() / "demo";
  fs::create_directory(temporary);
  const auto relay = fs::path(cluster::program()).parent_path() / "test" / "test_relay";
  std::vector<std::string> command{"env", "TMPDIR=" + temporary.string(), "FIRSTLIGHT=" + cluster::program(),
                                   "TEST_RELAY=" + relay.string(), "test/demo"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto demo = all.run(command);
  const auto end = demo->wait(std::chrono::minutes(5));
  INFO(demo->output() + demo->errors());
  REQUIRE(end == program_end{0, 0});
  CHECK(processes_of(temporary).empty());
  CHECK(text_of("/proc/self/mountinfo").find(temporary.string()) == std::string::npos);
  CHECK(fs::is_empty(temporary));
  auto said = demo->output();
  said.pop_back();
  return nlohmann::json::parse(said.substr(said.rfind('\n') + 1));
}

void check_times(const nlohmann::json& said) {
  INFO(said.dump());
  CHECK(said["mounted_ms"] <= said["ready_ms"]);
  CHECK(said["ready_ms"] <= said["complete_ms"]);
  CHECK(said["bytes_received"] > 0);
  CHECK(said["image_bytes_compressed"] > 0);
}

}  // namespace

TEST_CASE("the demo has redis answer before it has arrived, and leaves nothing") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = real_image(all, "redis");
  const auto said = run_demo(all, {});
  check_times(said);
  CHECK(said["image"] == "oci:" + fs::canonical(layout).string() + ":latest");
  CHECK(said["bytes_received_at_ready"] < said["bytes_received"]);
  CHECK(said["bytes_received"] < said["image_bytes_compressed"]);
  CHECK(said["waits"] > 0);
  CHECK(said.contains("misses"));
}

TEST_CASE("the demo runs a command of any image") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = make_shell_image(all.folder() / "shell");
  const auto said = run_demo(all, {"--image", "oci:" + layout.string(), "--rate", "0", "--rtt", "0", "--",
                                   "/bin/sh", "-c", "exit 0"});
  check_times(said);
  const std::vector<std::string> bad{"test/demo", "--image", "oci:" + layout.string()};
  auto refused = all.run(bad);
  CHECK(refused->wait(std::chrono::minutes(1)) == program_end{2, 0});
  CHECK(refused->errors() == "demo: say what to run from the image: -- CMD...\n");
}

}  // namespace firstlight
