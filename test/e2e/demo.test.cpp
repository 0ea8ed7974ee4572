#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

#include "test/e2e/real_image.hpp"
#include "test/e2e/shell_image.hpp"

/// `./dev demo`, as it is after building.
namespace firstlight {
namespace {

namespace fs = std::filesystem;

/// A file of /proc; empty if its process is gone.
std::string proc_text(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

/// The command lines of processes that have `folder` in their environment, as all have that the demo starts.
std::vector<std::string> processes_with(const fs::path& folder) {
  std::vector<std::string> found;
  for (const auto& process : fs::directory_iterator("/proc")) {
    if (proc_text(process.path() / "environ").find(folder.string()) == std::string::npos) continue;
    found.push_back(proc_text(process.path() / "cmdline"));
    std::replace(found.back().begin(), found.back().end(), '\0', ' ');
  }
  return found;
}

/// Runs the demo with a folder of its own for what is temporary, and checks that nothing is left of it.
/// @returns the program, which has ended
std::unique_ptr<running_program> ended_demo(cluster& all, const std::vector<std::string>& arguments) {
  const auto temporary = all.folder() / "demo";
  fs::create_directory(temporary);
  const auto relay = fs::path(cluster::program()).parent_path() / "test" / "test_relay";
  std::vector<std::string> command{"env", "TMPDIR=" + temporary.string(), "FIRSTLIGHT=" + cluster::program(),
                                   "TEST_RELAY=" + relay.string(), "test/demo"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  auto demo = all.run(command);
  const auto end = demo->wait(std::chrono::minutes(5));
  INFO(demo->output() + demo->errors());
  REQUIRE(end);
  std::vector<std::string> left;  // the node's keeper ends when it sees that the node has
  CHECK(eventually([&] { return (left = processes_with(temporary)).empty(); }));
  CHECK(left == std::vector<std::string>());
  CHECK(proc_text("/proc/self/mountinfo").find(temporary.string()) == std::string::npos);
  CHECK(fs::is_empty(temporary));
  return demo;
}

/// The names of the last line's fields, as the usage lists them.
std::set<std::string> documented_fields(cluster& all) {
  auto help = all.run({"test/demo", "--help"});
  REQUIRE(help->wait(std::chrono::minutes(1)) == program_end{0, 0});
  const auto usage = help->output();
  const auto from = usage.find("The last line: {");
  REQUIRE(from != std::string::npos);
  const auto list = usage.substr(from, usage.find('}', from) - from);
  const std::regex name("\"([a-z_]+)\"");
  std::set<std::string> names;
  for (std::sregex_iterator field(list.begin(), list.end(), name), none; field != none; ++field)
    names.insert((*field)[1]);
  return names;
}

void check_fields(cluster& all, const nlohmann::json& said) {
  std::set<std::string> names;
  for (const auto& field : said.items()) {
    INFO(field.key() << ": " << field.value());
    CHECK((field.key() == "image" ? field.value().is_string() : field.value().is_number_unsigned()));
    names.insert(field.key());
  }
  REQUIRE(names == documented_fields(all));
}

/// @returns the last line of what a demo says that ends well; it has all fields
nlohmann::json run_demo(cluster& all, const std::vector<std::string>& arguments) {
  auto demo = ended_demo(all, arguments);
  INFO(demo->output() + demo->errors());
  REQUIRE(demo->wait({}) == program_end{0, 0});
  auto said = demo->output();
  said.pop_back();
  auto fields = nlohmann::json::parse(said.substr(said.rfind('\n') + 1));
  check_fields(all, fields);
  return fields;
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
}

TEST_CASE("the demo runs a command of any image") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = make_shell_image(all.folder() / "shell");
  const auto said = run_demo(all, {"--image", "oci:" + layout.string(), "--rate", "0", "--rtt", "0", "--",
                                   "/bin/sh", "-c", "exit 0"});
  check_times(said);
  CHECK(said["image"] == "oci:" + fs::canonical(layout).string());
  CHECK(said["bytes_received_at_ready"] <= said["bytes_received"]);
  const std::vector<std::string> bad{"test/demo", "--image", "oci:" + layout.string()};
  auto refused = all.run(bad);
  CHECK(refused->wait(std::chrono::minutes(1)) == program_end{2, 0});
  CHECK(refused->errors() == "demo: say what to run from the image: -- CMD...\n");
}

TEST_CASE("a demo whose command fails tells its exit code and fails, and leaves nothing") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = make_shell_image(all.folder() / "shell");
  auto demo =
      ended_demo(all, {"--image", "oci:" + layout.string() + ":latest", "--", "/bin/sh", "-c", "exit 3"});
  CHECK(demo->wait({}) == program_end{1, 0});
  CHECK(demo->errors().find("the program ended with exit code 3\n") != std::string::npos);
}

}  // namespace firstlight
