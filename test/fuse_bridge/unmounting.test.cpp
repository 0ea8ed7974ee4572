#include <fcntl.h>
#include <poll.h>

#include "fuse_bridge/mount_table.hpp"
#include "fuse_bridge/stale_mounts.hpp"
#include "storage/posix_file.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

image_builder one_file() {
  image_builder image;
  image.file("file", patterned_bytes(4 * default_block_bytes, 1));
  return image;
}

bool is_mounted(const std::filesystem::path& point) {
  const auto mounts = read_mount_table();
  REQUIRE(mounts);
  for (const auto& mount : *mounts)
    if (mount.point == point) return true;
  return false;
}

}  // namespace

TEST_CASE("a mount in use is not taken down unless it may be detached") {
  if (!mounting_is_possible()) return;
  mounted_image image(one_file(), GENERATE(view::read_only, view::writable));
  image.source.deliver_all();
  file_descriptor file(open(image.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file);
  const auto refused = image.fixture.unmount(image.mount, busy_mount::refuse);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::busy);
  CHECK(is_mounted(image.root()));
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::detach));
  CHECK_FALSE(is_mounted(image.root()));
  char byte = 0;
  CHECK(read(file.get(), &byte, 1) == 1);
  file = file_descriptor{};
  image.fixture.wait_for_end(image.mount);
  CHECK(std::filesystem::is_empty(image.fixture.mounts_folder()));
}

TEST_CASE("an instance ends after its unmount, and the name can be used again") {
  if (!mounting_is_possible()) return;
  mounted_image image(one_file());
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  const auto again = image.fixture.mount(image.request(view::read_only));
  REQUIRE(again);
  image.mount = again->handle;
  CHECK(is_mounted(image.root()));
}

TEST_CASE("an exit message fails all waiters and leaves no mount") {
  if (!mounting_is_possible()) return;
  mounted_image image(one_file(), GENERATE(view::read_only, view::writable));
  const auto path = image.path("file");
  child_process reader([&] {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char byte = 0;
    return read(file, &byte, 1) < 0 ? errno : 0;
  });
  REQUIRE(image.source.wait_for_wants(1));
  image.fixture.end(image.mount);
  std::optional<int> status;
  REQUIRE(eventually([&] { return (status = reader.ended()).has_value(); }));
  CHECK(WIFEXITED(*status));
  CHECK((WEXITSTATUS(*status) == EIO || WEXITSTATUS(*status) == ENOTCONN ||
         WEXITSTATUS(*status) == ECONNABORTED));
  CHECK_FALSE(is_mounted(image.root()));
  CHECK(std::filesystem::is_empty(image.fixture.mounts_folder()));
}

TEST_CASE("mounts that a killed daemon left are cleaned, and no others") {
  if (!mounting_is_possible()) return;
  const temporary_folder folder;
  const auto mounts = folder.path() / "mounts";
  const auto how = GENERATE(view::read_only, view::writable);
  int ready[2];
  REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
  const file_descriptor ready_read(ready[0]), ready_write(ready[1]);
  // The child is forked before this process has threads of a fixture: it builds its own daemon.
  child_process daemon([&] {
    setenv("TMPDIR", folder.path().c_str(), 1);  // what it leaves goes with this test's folder
    mount_fixture fixture;
    static_cast<void>(fixture.mount({}));  // is refused, but not before its hybrid mode has begun
    const auto image = one_file().build();
    auto system_mounter = spawn_mounter(fixture.system(), {&fixture.store(), mounts, {}});
    mount_request request{"left", image.toc, {}, folder.path() / "root", {}};
    if (how == view::writable)
      request.writable = writable_layer{folder.path() / "upper", folder.path() / "work"};
    std::filesystem::create_directory(request.target);
    caf::scoped_actor self(fixture.system());
    self->request(system_mounter, caf::infinite, request)
        .receive([&](const mounted&) { return static_cast<void>(write(ready[1], "x", 1)); },
                 [](const caf::error&) {});
    ::pause();
    return 0;
  });
  pollfd wait{ready[0], POLLIN, 0};
  REQUIRE(poll(&wait, 1, 30'000) == 1);
  daemon.signal(SIGKILL);
  REQUIRE(eventually([&] { return daemon.ended().has_value(); }));
  REQUIRE(is_mounted(folder.path() / "root"));
  std::ofstream(mounts / "left" / "opens") << "an earlier version's";
  const auto cleaned = clean_stale_mounts(mounts);
  REQUIRE(cleaned);
  CHECK(cleaned->size() == 2);
  CHECK_FALSE(is_mounted(folder.path() / "root"));
  CHECK(std::filesystem::is_empty(mounts));
  CHECK(clean_stale_mounts(mounts)->empty());
  // And what all hybrid mounts of that daemon shared.
  int daemons = 0;
  for (const auto& fixture : std::filesystem::directory_iterator(folder.path())) {
    const auto contents = fixture.path() / "content-mount";  // a dead mount: it cannot be looked at
    if (!fixture.path().filename().string().starts_with("firstlight-test")) continue;
    ++daemons;
    REQUIRE(clean_stale_hybrid_mounts(fixture.path() / "trees", contents, {}, content_mount_is::stale));
    CHECK_FALSE(is_mounted(contents));
    CHECK(std::filesystem::is_empty(fixture.path() / "trees"));
  }
  CHECK(daemons == 1);
}

TEST_CASE("the mount table is read with its escapes") {
  const auto mounts = parse_mountinfo(
      "36 35 0:43 / /mnt/a\\040b rw,noatime shared:1 master:2 - overlay over\\134lay "
      "rw,lowerdir=/a\\134:b,upperdir=/c\n"
      "nonsense\n"
      "37 35 0:44 / /x ro - fuse.firstlight firstlight ro\n");
  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].point == "/mnt/a b");
  CHECK(mounts[0].type == "overlay");
  CHECK(mounts[0].options == "rw,lowerdir=/a\\:b,upperdir=/c");
  CHECK(mounts[1].device == "0:44");
}

TEST_CASE("an overlay's layer is found by its whole name only") {
  const std::string options = "rw,lowerdir=/run/a:/run/b\\:c::/data,upperdir=/up,workdir=/work";
  CHECK(has_layer(options, "/run/a"));
  CHECK(has_layer(options, "/run/b\\:c"));
  CHECK(has_layer("ro,lowerdir=/run/a", "/run/a"));
  CHECK_FALSE(has_layer(options, "/run"));
  CHECK_FALSE(has_layer(options, "/run/b"));
  CHECK_FALSE(has_layer(options, "c"));
  CHECK_FALSE(has_layer(options, ""));
}
