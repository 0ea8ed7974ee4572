#include <algorithm>

#include "test/e2e/learned.hpp"
#include "test/e2e/shell_image.hpp"

namespace firstlight {
namespace {

struct asked {
  std::vector<std::string> command;
  std::string field;  ///< one that the answer has
};

/// All that is printed with --json is one line with an object. @returns it
nlohmann::json check_json(cluster& all, const asked& one) {
  auto arguments = one.command;
  arguments.emplace_back("--json");
  auto program = all.start(arguments);
  REQUIRE(program->wait(std::chrono::minutes(1)));
  const auto output = program->output();
  INFO(one.command[0] << " " << one.command.back() << ": " << output << program->errors());
  CHECK(std::count(output.begin(), output.end(), '\n') == 1);
  const auto said = nlohmann::json::parse(output, nullptr, false);
  REQUIRE(said.is_object());
  CHECK(said.contains(one.field));
  return said;
}

/// Two images with a file of their own each, f100 and f102, of which a start has read just that. The link is
/// so slow that the starts pass FUSE.
void teach_two_images(cluster& all) {
  const auto layout_of = [&](const std::string& name, const std::vector<std::uint64_t>& files) {
    tar_builder tar;
    tar.folder("data/");
    for (const auto file : files) tar.file("data/f" + std::to_string(file), incompressible(file, 1U << 20U));
    write_layout(all.folder() / name, {tar.take()}, layer_packing::plain);
    return all.folder() / name;
  };
  const auto start = [&](const std::string& image, const std::string& file) {
    const auto target = all.mount(image, "taught");
    auto reader = all.run({"cat", (target / "data" / file).string()});
    REQUIRE(reader->wait(std::chrono::minutes(1)) == program_end{0, 0});
    check_good(all.on_node({"umount", "taught"}));
    // From its own start, not from that of the other image.
    REQUIRE(eventually([&] {
      auto known = traced(all, image);
      return known["learned_from"] == 1 && known["relative"] == "";
    }));
  };
  all.add(layout_of("old", {100, 101}), "old:1");
  all.add(layout_of("new", {101, 102}), "new:1");
  start("old:1", "f100");
  start("new:1", "f102");
}

const cluster_options with_slow_fuse{
    .hub = {}, .node = {"mount_mode=fuse"}, .link_bytes_per_second = 1'000'000};

}  // namespace

TEST_CASE("every command that only asks prints one line of JSON with --json") {
  if (!cluster::possible()) return;
  cluster all(with_slow_fuse);
  teach_two_images(all);
  all.mount("new:1", "mounted");
  check_complete(all, "new:1");
  check_good(all.on_node({"layer", "register", "work"}));
  const auto recorded = all.on_hub({"trace", "show", "old:1"}).reply["traces"];
  REQUIRE_FALSE(recorded.empty());
  const std::vector<asked> commands{
      {{"version"}, "version"},
      {{"ls"}, "mounts"},
      {{"status", "--node"}, "link"},
      {{"status", "--hub"}, "nodes"},
      {{"wait", "new:1"}, "image"},
      {{"waiters"}, "waiters"},
      {{"receivers"}, "receivers"},
      {{"sessions"}, "sessions"},
      {{"layer", "ls"}, "layers"},
      {{"layer", "find", "work"}, "path"},
      {{"events"}, "events"},
      {{"events", "--hub"}, "events"},
      {{"top", "--times", "1"}, "link"},
      {{"top", "--times", "1", "--hub"}, "nodes"},
      {{"image", "ls"}, "images"},
      {{"image", "show", "new:1"}, "config_json"},
      {{"trace", "ls"}, "images"},
      {{"trace", "show", "new:1", "--order", "5"}, "order"},
      {{"trace", "show", "old:1", recorded[0]["id"].get<std::string>()}, "files"},
      {{"trace", "diff", "old:1", "new:1"}, "removed"},
      {{"trace", "score", "new:1", "--order", "static"}, "rows"},
      {{"trace", "plot", "new:1", (all.folder() / "plot.svg").string(), "--order", "static"}, "svg"},
      {{"trace", "export"}, "collection"},
      {{"config", "hub", "--config", "/dev/null"}, "listen"},
      {{"config", "node", "--config", "/dev/null"}, "hub"},
      {{"config", "reference"}, "hub"},
  };
  for (const auto& one : commands) check_json(all, one);
}

TEST_CASE("settings are told as JSON with the values that they have") {
  if (!cluster::possible()) return;
  cluster all;
  const auto hub = check_json(
      all, {{"config", "hub", "--config", "/dev/null", "--set", "link.silence_max=5s", "--peer", "one:7420"},
            "link"});
  CHECK(hub["link"]["silence_max"] == "5s");
  CHECK(hub["peers"] == nlohmann::json::array({"one:7420"}));
  const auto reference = check_json(all, {{"config", "reference"}, "node"});
  for (const std::string daemon : {"hub", "node"}) {
    const auto& settings = reference[daemon];
    REQUIRE(settings.is_array());
    CHECK(settings.size() > 30);
    for (const auto& one : settings) {
      INFO(one.dump());
      CHECK_FALSE(one["name"].get<std::string>().empty());
      CHECK_FALSE(one["kind"].get<std::string>().empty());
      CHECK(one["value"].is_string());
      CHECK_FALSE(one["doc"].get<std::string>().empty());
    }
  }
}

TEST_CASE("the layer store and bundle files answer with what they did as JSON") {
  if (!cluster::possible()) return;
  cluster all;
  const auto made = check_json(all, {{"layer", "register", "work", "--writable"}, "key"});
  CHECK(made["key"] == "work");
  CHECK(made["complete"] == false);
  CHECK(made["writable"] == true);
  const auto done = check_json(all, {{"layer", "complete", "work"}, "key"});
  CHECK(done["complete"] == true);
  CHECK(done["path"] == made["path"]);
  CHECK(check_json(all, {{"layer", "find", "work"}, "key"})["complete"] == true);
  const auto gone = check_json(all, {{"layer", "rm", "work"}, "key"});
  CHECK(gone["key"] == "work");
  CHECK(check_json(all, {{"layer", "ls"}, "layers"})["layers"].empty());

  all.add(make_streamed_image(all.folder() / "streamed", {.files = 2, .file_bytes = 4096}).layout,
          "streamed:1");
  const auto file = (all.folder() / "streamed.bundle").string();
  const auto saved = check_json(all, {{"bundle", "save", file, "streamed:1"}, "references"});
  CHECK(saved["file"] == file);
  CHECK(saved["bytes"] == std::filesystem::file_size(file));
  REQUIRE(saved["references"].size() == 1);
  const auto loaded = check_json(all, {{"bundle", "load", file}, "references"});
  CHECK(loaded["file"] == file);
  CHECK(loaded["references"] == saved["references"]);
  check_complete(all, "streamed:1");
  CHECK(all.bytes_received() == 0);  // nothing over the link
}

TEST_CASE("two images' orders are compared by what their starts have read") {
  if (!cluster::possible()) return;
  cluster all(with_slow_fuse);
  teach_two_images(all);
  const auto difference = all.on_hub({"trace", "diff", "old:1", "new:1"});
  check_good(difference);
  REQUIRE(difference.reply["removed"].size() == 1);
  CHECK(difference.reply["removed"][0]["path"] == "data/f100");
  CHECK(difference.reply["removed"][0]["place"] == 0);
  REQUIRE(difference.reply["added"].size() == 1);
  CHECK(difference.reply["added"][0]["path"] == "data/f102");
  CHECK(difference.reply["same"] == 0);
  auto table = all.start({"trace", "diff", "old:1", "new:1"});
  REQUIRE(table->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(table->output().find("PLACE BEFORE") != std::string::npos);
  CHECK(table->output().ends_with("0 files are expected of both\n"));
  auto quiet = all.start({"trace", "diff", "old:1", "new:1", "--quiet"});
  REQUIRE(quiet->wait(std::chrono::minutes(1)) == program_end{0, 0});
  CHECK(quiet->output().empty());
  const auto unknown = all.on_hub({"trace", "diff", "old:1", "no.example/such:1"});
  CHECK(unknown.exit_code != 0);
  CHECK(std::count(unknown.errors.begin(), unknown.errors.end(), '\n') == 1);
}

}  // namespace firstlight
