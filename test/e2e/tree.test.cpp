#include <ctime>

#include "test/e2e/real_image.hpp"
#include "test/e2e/streamed_image.hpp"
#include "test/harness/image_oracle.hpp"
#include "test/harness/seen_sizes.hpp"

namespace firstlight {
namespace {

const std::vector<std::string> equal;

/// The first differences are enough to see.
std::vector<std::string> shown(std::vector<std::string> lines) {
  constexpr std::size_t most = 20;
  if (lines.size() > most) lines.resize(most);
  return lines;
}

/// Mounts an image both ways while it arrives and compares each tree with what umoci unpacks.
void check_mounts_equal_umoci(cluster& all, const std::filesystem::path& layout) {
  const auto since = std::time(nullptr) - 1;
  const auto bundle = all.folder() / "bundle";
  auto unpacked = all.run({"umoci", "unpack", "--image", layout.string() + ":latest", bundle.string()});
  REQUIRE(unpacked->wait(std::chrono::minutes(10)) == program_end{0, 0});
  const auto expected = observe_folder(bundle / "rootfs");
  all.add(layout, "oracle:1");
  {
    const auto tree = observe_folder(all.mount("oracle:1", "plain", mount_kind::read_only));
    CHECK(shown(differences(expected, tree, {.unpacked_since = since})) == equal);
  }
  // Overlayfs answers 1 for the links of a directory that it merges.
  const auto tree = observe_folder(all.mount("oracle:1", "overlay", mount_kind::writable));
  CHECK(shown(differences(expected, tree, {.unpacked_since = since, .directory_links = false})) == equal);
  check_complete(all, "oracle:1");
  const auto sizes = [&](const std::string& name) {
    auto seen = see_sizes(all.folder() / "mounts" / name).directories;
    seen.erase(".");  // above the image's root is the upper folder
    return seen;
  };
  CHECK((sizes("overlay") == sizes("plain")));
  for (const std::string mount : {"overlay", "plain"}) CHECK(all.on_node({"umount", mount}).exit_code == 0);
  CHECK(all.mounts().empty());
}

std::string lower_layer() {
  return tar_builder()
      .folder("./", 0750)
      .folder("./a/", 01777)
      .file("./a/x", "lower x", 04755)
      .file("a/y", "lower y")
      .folder("d/")
      .folder("d/e/")
      .file("d/e/f", incompressible(1, 70'000))
      .folder("o/")
      .file("o/hidden", "by an opaque directory")
      .symlink("link", "d/e")
      .symlink("dangling", "/no/where")
      .file("gone", "by a whiteout")
      .file("empty", "")
      .take();
}

std::string upper_layer() {
  const std::string odd("bytes\xff\xfe\x80/name\xc3\x28", 15);
  const std::string capability(
      "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  std::string sparse = "2\n0\n3\n100000\n4\n";
  sparse.resize(512, '\0');
  sparse += "abcdefg";
  return tar_builder()
      .hard_link("h1", "a/x")
      .hard_link("h2", "./h1")
      .file("o/.wh..wh..opq", "")
      .file("o/new", "in the opaque directory")
      .file(".wh.gone", "")
      .device("character", '3', 1, 3)
      .device("block", '4', 8, 300)
      .device("pipe", '6', 0, 0)
      .pax({{"mtime", "1234567890.987654321"}, {"SCHILY.xattr.user.k", "v"}})
      .folder("d", 02711)
      .pax({{"path", odd}, {"mtime", "-1.25"}, {"uid", "4000000"}})
      .file("short", "x", 0755)
      .pax({{"SCHILY.xattr.security.capability", capability}})
      .file("capable", incompressible(2, 5'000), 0755)
      .gnu_long('L', std::string(120, 'n') + "/" + std::string(150, 'm'))
      .file("cut", "long")
      .gnu_long('K', std::string(300, 't'))
      .symlink("longlink", "cut")
      .pax({{"GNU.sparse.major", "1"},
            {"GNU.sparse.minor", "0"},
            {"GNU.sparse.name", "sparse"},
            {"GNU.sparse.realsize", "200000"}})
      .file("GNUSparseFile.0/sparse", sparse)
      .take();
}

}  // namespace

TEST_CASE("mounts of nasty layers equal what umoci unpacks") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  const auto layout = all.folder() / "nasty";
  write_layout(layout, {lower_layer(), upper_layer()});
  check_mounts_equal_umoci(all, layout);
}

TEST_CASE("mounts of all modes show the same sizes of directories and of the whole") {
  if (!cluster::possible()) return;
  cluster all;
  const auto layout = all.folder() / "nasty";
  write_layout(layout, {lower_layer(), upper_layer()});
  all.add(layout, "sizes:1");
  const auto seen_in = [&](const std::string& mode) {
    const auto target = all.folder() / "mounts" / mode;
    const auto mounted = all.on_node(
        {"mount", "sizes:1", target.string(), "--name", mode, "--read-only", "--mount-mode", mode});
    INFO(mode << ": " << mounted.errors);
    REQUIRE(mounted.exit_code == 0);
    return see_sizes(target);
  };
  const auto hybrid = seen_in("hybrid");
  CHECK(hybrid.directories.size() > 5);
  CHECK((seen_in("overlay") == hybrid));
  CHECK((seen_in("fuse") == hybrid));
}

TEST_CASE("mounts of redis equal what umoci unpacks") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  check_mounts_equal_umoci(all, real_image(all, "redis"));
}

TEST_CASE("mounts of other real images equal what umoci unpacks", "[.][all]") {
  if (!cluster::possible()) return;
  const std::string name = GENERATE("nginx", "python3");
  CAPTURE(name);
  cluster all;
  check_mounts_equal_umoci(all, real_image(all, name));
}

TEST_CASE("mounts of an image of many thousand files equal what umoci unpacks", "[.][all]") {
  if (!cluster::possible()) return;
  cluster all;
  check_mounts_equal_umoci(all, real_image(all, "many"));
  CHECK(all.on_hub({"image", "ls"}).reply["images"][0]["files"] > 20'000);
}

}  // namespace firstlight
