#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "apps/containerd_config_file.hpp"
#include "test/harness/cluster/program.hpp"
#include "test/harness/temporary_folder.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::chrono::minutes limit{1};

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct said {
  int exit_code = -1;
  std::string output;
  std::string errors;
};

/// `firstlight install containerd` for a config of this folder, with a node's config that names a socket.
said install(const temporary_folder& folder, std::vector<std::string> options = {}) {
  const auto node = folder.path() / "node.json";
  if (!fs::exists(node)) write(node, R"({"containerd": {"socket": "/run/fl/c.sock"}})");
  options.insert(options.begin(),
                 {FIRSTLIGHT_PROGRAM, "install", "containerd", "--node-config", node.string()});
  if (std::ranges::find(options, "--config") == options.end())
    options.insert(options.end(), {"--config", (folder.path() / "config.toml").string()});
  const temporary_folder log;
  running_program program(options, log.path() / "install");
  const auto end = program.wait(limit);
  REQUIRE(end.has_value());
  return {end->exit_code, program.output(), program.errors()};
}

const std::string debian =
    "version = 2\n\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n"
    "    [plugins.\"io.containerd.grpc.v1.cri\".cni]\n      bin_dir = \"/usr/lib/cni\"  # mine\n";

}  // namespace

TEST_CASE("install shows what it would write, as patch reads it, and writes just that when told to") {
  const temporary_folder folder;
  const auto file = folder.path() / "config.toml";
  write(file, debian);
  const auto shown = install(folder, {"--cri"});
  CHECK(shown.exit_code == 0);
  CHECK(text_of(file) == debian);
  CHECK(shown.errors.find("--write") != std::string::npos);

  write(folder.path() / "patched", debian);
  write(folder.path() / "diff", shown.output);
  running_program patch(
      {"patch", "--quiet", (folder.path() / "patched").string(), (folder.path() / "diff").string()},
      folder.path() / "patch");
  CHECK(patch.wait(limit) == program_end{0, 0});
  CHECK(install(folder, {"--cri", "--write"}).output == shown.output);
  CHECK(text_of(file) == text_of(folder.path() / "patched"));
  CHECK(text_of(folder.path() / "config.toml.before-firstlight") == debian);

  const auto again = install(folder, {"--cri", "--write"});
  CHECK(again.exit_code == 0);
  CHECK(again.output.empty());
  CHECK(again.errors.find("nothing is to be done") != std::string::npos);
  CHECK(install(folder, {"--remove", "--write"}).exit_code == 0);
  CHECK(text_of(file) == debian);
}

TEST_CASE(
    "containerd's whole default config, and one of version 3, take the edit and come back as they were") {
  const temporary_folder folder;
  const auto file = folder.path() / "config.toml";
  running_program containerd({"containerd", "config", "default"}, folder.path() / "default");
  REQUIRE(containerd.wait(limit) == program_end{0, 0});
  const std::string third =
      "version = 3\nimports = ['/etc/containerd/conf.d/*.toml']\n\n[plugins]\n"
      "  [plugins.'io.containerd.cri.v1.images']\n    snapshotter = 'overlayfs'\n"
      "    disable_snapshot_annotations = true\n\n"
      "    [plugins.'io.containerd.cri.v1.images'.pinned_images]\n      sandbox = "
      "'registry.k8s.io/pause:3.10'\n"
      "  [plugins.'io.containerd.cri.v1.runtime']\n    cdi_spec_dirs = ['/etc/cdi', '/var/run/cdi']\n"
      "[proxy_plugins]\n";
  for (const auto& before : {containerd.output(), third}) {
    write(file, before);
    const auto written = install(folder, {"--cri", "--write"});
    INFO(written.output << written.errors);
    CHECK(written.exit_code == 0);
    CHECK(written.output.find(" disable_snapshot_annotations = false\n") != std::string::npos);
    CHECK(install(folder, {"--remove", "--write"}).exit_code == 0);
    CHECK(text_of(file) == before);
  }
}

TEST_CASE("a config that was not there is made, with its folder, and goes again") {
  const temporary_folder folder;
  const auto file = folder.path() / "etc" / "config.toml";
  CHECK(install(folder, {"--config", file.string(), "--write"}).exit_code == 0);
  CHECK(text_of(file).find("version = 2\n") != std::string::npos);
  CHECK(install(folder, {"--config", file.string(), "--remove", "--write"}).exit_code == 0);
  CHECK_FALSE(fs::exists(file));
}

TEST_CASE("mode, owner and links of the config stay") {
  const temporary_folder folder;
  const auto real = folder.path() / "real.toml";
  write(real, debian);
  fs::create_symlink("real.toml", folder.path() / "config.toml");
  REQUIRE(::chmod(real.c_str(), 0640) == 0);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::chown(real.c_str(), 12, 34) == 0);
  REQUIRE(install(folder, {"--write"}).exit_code == 0);
  CHECK(fs::is_symlink(folder.path() / "config.toml"));
  for (const auto& one : {real, fs::path(real.string() + ".before-firstlight")}) {
    struct stat status {};
    REQUIRE(::stat(one.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0640);
    if (root) CHECK(status.st_uid == 12);
    if (root) CHECK(status.st_gid == 34);
  }
  for (const auto& entry : fs::directory_iterator(folder.path()))
    CHECK(entry.path().string().find(".new-") == std::string::npos);
}

TEST_CASE("what cannot be done is one line that names the file, and nothing is written") {
  const temporary_folder folder;
  const auto file = folder.path() / "config.toml";
  for (const std::string text : {"version = 1\n", "version = 2\nproxy_plugins = {}\n", "version = 2\n= 3\n",
                                 "version = 2\nversion = 2\n", "version = 2\na = nonsense\n"}) {
    INFO(text);
    write(file, text);
    const auto end = install(folder, {"--write"});
    INFO(end.errors);
    CHECK(end.exit_code != 0);
    CHECK(std::count(end.errors.begin(), end.errors.end(), '\n') == 1);
    CHECK(end.errors.find(file.string()) != std::string::npos);
    CHECK(text_of(file) == text);
  }
  write(file, std::string(install_limits{}.config_bytes_max + 1, '#'));
  CHECK(install(folder).errors.find("more than") != std::string::npos);
}

TEST_CASE("without a socket of the node's there is nothing to install") {
  const temporary_folder folder;
  write(folder.path() / "node.json", "{}");
  const auto end = install(folder);
  CHECK(end.exit_code != 0);
  CHECK(end.errors.find("containerd.socket") != std::string::npos);
  const auto named = install(folder, {"--socket", "/run/other.sock"});
  CHECK(named.exit_code == 0);
  CHECK(named.output.find("address = \"/run/other.sock\"") != std::string::npos);
}

TEST_CASE("containerd is told where the node of that config keeps snapshots") {
  const temporary_folder folder;
  CHECK(install(folder).output.find("root = \"/var/lib/firstlight/node/snapshots\"") != std::string::npos);
  write(folder.path() / "node.json", R"({"store_folder": "/disk/node", "containerd": {"socket": "/run/c"}})");
  CHECK(install(folder).output.find("root = \"/disk/node/snapshots\"") != std::string::npos);
}

TEST_CASE("an edit that would change what others wrote is refused") {
  const std::string before = "version = 2\n[grpc]\naddress = \"/a\"\n";
  const auto check = [&](const std::string& after, std::vector<toml_setting> settings = {}) {
    return check_containerd_edit(before, {.text = after, .settings = std::move(settings)}, "firstlight");
  };
  CHECK(check(before + "[proxy_plugins.firstlight]\ntype = \"snapshot\"\n").has_value());
  CHECK(check(before + "[proxy_plugins.other]\ntype = \"snapshot\"\n").error().code ==
        errc::failed_precondition);
  CHECK(check("version = 2\n[grpc]\naddress = \"/b\"\n").error().code == errc::failed_precondition);
  CHECK(check("version = 2\n").error().code == errc::failed_precondition);
  CHECK(check(before + "[grpc]\n").error().code == errc::failed_precondition);
  CHECK(check(before, {{{"proxy_plugins", "firstlight", "type"}, "\"snapshot\""}}).error().code ==
        errc::failed_precondition);
  CHECK(check_containerd_edit("a = ", {.text = before}, "firstlight").error().code == errc::invalid_argument);
}
