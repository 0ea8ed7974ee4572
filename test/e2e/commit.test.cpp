#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <ctime>
#include <fstream>

#include "test/e2e/streamed_image.hpp"
#include "test/harness/image_oracle.hpp"

namespace firstlight {
namespace {

namespace fs = std::filesystem;

std::string base_layer() {
  return tar_builder()
      .folder("./", 0755)
      .folder("etc/")
      .file("etc/conf", "of the image")
      .file("etc/gone", "removed")
      .hard_link("etc/linked", "etc/conf")
      .folder("data/")
      .folder("data/inner/")
      .file("data/inner/large", incompressible(3, 300'000), 04755)
      .file("data/small", "small")
      .folder("replaced/")
      .file("replaced/old", "old")
      .symlink("link", "etc/conf")
      .take();
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  REQUIRE(out.flush());
}

void change(const fs::path& root) {
  write_text(root / "etc/conf", "of the mount");
  fs::remove(root / "etc/gone");
  fs::rename(root / "data", root / "etc/moved");
  fs::remove_all(root / "replaced");
  fs::create_directory(root / "replaced");
  write_text(root / "replaced/new", "new");
  REQUIRE(chown((root / "etc/moved/inner/large").c_str(), 7, 8) == 0);
  REQUIRE(chmod((root / "etc/moved/inner/large").c_str(), 02755) == 0);
  fs::create_hard_link(root / "replaced/new", root / "replaced/twin");
  fs::remove(root / "link");
  fs::create_directory(root / "link");
  fs::create_symlink(std::string(200, 't'), root / std::string(120, 'n'));
  REQUIRE(mknod((root / "pipe").c_str(), S_IFIFO | 0600, 0) == 0);
  REQUIRE(mknod((root / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
  REQUIRE(setxattr((root / "etc").c_str(), "user.note", "x", 1, 0) == 0);
  const timespec times[] = {{1, 2}, {1'234'567'890, 123'456'789}};
  REQUIRE(utimensat(AT_FDCWD, (root / "etc/moved/small").c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("what was changed on a mount becomes a layer that umoci builds on, while contents arrive") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  const auto layout = all.folder() / "layout";
  write_layout(layout, {base_layer()});
  all.add(layout, "base:1");
  const auto root = all.mount("base:1", "changed", mount_kind::writable);
  if (mode != "fuse")
    fs::remove(root / "etc/linked");  // overlayfs would go on counting the name that left it
  change(root);
  if (mode != "fuse") {  // which lets nobody make such a name
    write_text(root / ".wh.name", "");
    const auto odd = all.on_node({"commit", "changed", (all.folder() / "odd.tar").string()});
    CHECK(odd.exit_code != 0);
    CHECK(odd.errors.find(".wh.name would be a whiteout") != std::string::npos);
    CHECK_FALSE(fs::exists(all.folder() / "odd.tar"));
    fs::remove(root / ".wh.name");
  }
  const auto file = all.folder() / "layer.tar";
  const auto made = all.on_node({"commit", "changed", file.string()});
  INFO(made.errors);
  REQUIRE(made.exit_code == 0);
  CHECK(made.reply["bytes"] == fs::file_size(file));
  CHECK(made.reply["entries"] > 15);
  const auto again = all.on_node({"commit", root.string(), file.string()});
  CHECK(again.exit_code != 0);
  CHECK(again.errors.find("exists") != std::string::npos);

  const auto umoci = [&](const std::vector<std::string>& arguments) {
    auto program = all.run(arguments);
    const auto end = program->wait(std::chrono::minutes(1));
    INFO(program->errors());
    REQUIRE(end == program_end{0, 0});
  };
  umoci({"umoci", "raw", "add-layer", "--image", layout.string() + ":latest", file.string()});
  const auto bundle = all.folder() / "bundle";
  umoci({"umoci", "unpack", "--image", layout.string() + ":latest", bundle.string()});
  const std::vector<std::string> equal;
  CHECK(differences(observe_folder(bundle / "rootfs"), observe_folder(root), {.directory_links = false}) ==
        equal);
  // The hub takes the new image, and a fresh mount of it shows the same.
  all.add(layout, "base:2");
  CHECK(differences(observe_folder(root), observe_folder(all.mount("base:2", "fresh")),
                    {.directory_links = false}) == equal);
}

TEST_CASE("a read-only mount and one that is not there have nothing to commit") {
  if (!cluster::possible()) return;
  cluster all;
  write_layout(all.folder() / "layout", {base_layer()});
  all.add(all.folder() / "layout", "base:1");
  all.mount("base:1", "plain", mount_kind::read_only);
  const auto file = (all.folder() / "layer.tar").string();
  const auto plain = all.on_node({"commit", "plain", file});
  CHECK(plain.exit_code != 0);
  CHECK(plain.errors.find("read-only") != std::string::npos);
  const auto unknown = all.on_node({"commit", "unknown", file});
  CHECK(unknown.exit_code != 0);
  CHECK(unknown.errors.find("firstlight ls") != std::string::npos);
  CHECK_FALSE(fs::exists(file));
}

}  // namespace firstlight
