#include <algorithm>
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

/// user::rw- user:1234:r-- group::--- mask::r-- other::---, as acl(5) and linux/posix_acl_xattr.h have it.
std::string access_list() {
  return {
      "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\4\0\xd2\4\0\0\4\0\0\0\xff\xff\xff\xff"
      "\x10\0\4\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff",
      44};
}

std::string rich_layer() {
  const std::string capability("\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  return tar_builder()
      .folder("./", 0755)
      .folder("bin/")
      .pax({{"SCHILY.xattr.security.capability", capability}})
      .file("bin/ping", incompressible(1, 70'000), 0755)
      .file("bin/setuid", incompressible(2, 5'000), 04755)
      .hard_link("ping-too", "bin/ping")
      .folder("data/", 02770)
      .pax({{"SCHILY.xattr.user.note", "of a file"}, {"mtime", "1234567890.987654321"}, {"uid", "4000000"}})
      .file("data/noted", "noted", 0600)
      .pax({{"SCHILY.xattr.user.note", "of a folder"}})
      .folder("data/folder/")
      .pax({{"SCHILY.xattr.system.posix_acl_access", access_list()}})
      .file("data/listed", "listed", 0640)
      .pax({{"SCHILY.xattr.system.posix_acl_default", access_list()}})
      .folder("data/default/", 0750)
      .device("character", '3', 1, 3)
      .device("block", '4', 8, 300)
      .device("pipe", '6', 0, 0)
      .symlink("link", "data/listed")
      .symlink("dangling", "/no/where")
      .file("gone", "by a whiteout")
      .take();
}

std::string layer_above() {
  return tar_builder().file(".wh.gone", "").hard_link("data/ping-three", "ping-too").take();
}

std::size_t files_with(const observed_tree& tree, const std::string& attribute) {
  return static_cast<std::size_t>(std::count_if(tree.begin(), tree.end(), [&](const auto& file) {
    const auto& all = file.second.xattrs;
    return std::any_of(all.begin(), all.end(), [&](const xattr& one) { return one.name == attribute; });
  }));
}

/// Copies a mount of the image and compares the copy with what umoci unpacks, in which these attributes are.
void check_copy_by_rsync(cluster& all, const std::string& layout,
                         const std::vector<std::string>& attributes) {
  all.add(layout, "copied:1");
  const auto since = std::time(nullptr) - 1;
  run_well(all, {"umoci", "unpack", "--image", layout + ":latest", (all.folder() / "bundle").string()});
  const auto expected = observe_folder(all.folder() / "bundle" / "rootfs");
  for (const auto& attribute : attributes) {
    CAPTURE(attribute);
    CHECK(files_with(expected, attribute) > 0);
  }
  const auto root = all.mount("copied:1", "copied", mount_kind::writable);
  const auto copy = all.folder() / "copy";
  run_well(all, {"rsync", "-aHAX", "--numeric-ids", root.string() + "/", copy.string() + "/"});
  CHECK(differences(expected, observe_folder(copy), {.unpacked_since = since, .directory_links = false}) ==
        std::vector<std::string>{});
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

TEST_CASE(
    "rsync -aHAX of a mount is the image, with its links, devices, attributes, lists and capabilities") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  const auto layout = all.folder() / "rich";
  write_layout(layout, {rich_layer(), layer_above()});
  check_copy_by_rsync(
      all, layout,
      {"user.note", "security.capability", "system.posix_acl_access", "system.posix_acl_default"});
}

TEST_CASE("rsync -aHAX of a mount of redis is the image", "[.][all]") {
  if (!cluster::possible()) return;
  const std::string mode = GENERATE("hybrid", "overlay", "fuse");
  CAPTURE(mode);
  cluster all({.node = {"mount_mode=" + mode}});
  auto layout = run_well(all, {"test/images/make-image", "redis"});
  layout.pop_back();
  check_copy_by_rsync(all, layout, {});
}

}  // namespace firstlight
