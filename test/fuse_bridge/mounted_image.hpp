#pragma once
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <fstream>
#include <thread>

#include "actors/errors.hpp"
#include "fuse_bridge/mounter.hpp"
#include "storage/database.hpp"
#include "storage/sha256.hpp"
#include "test/harness/node/fake_source.hpp"
#include "test/harness/skipped.hpp"
#include "test/harness/temporary_folder.hpp"

namespace firstlight {

/// Whether this process may mount; says so in the test's output if not.
inline bool mounting_is_possible() {
  const bool possible = geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0;
  if (!possible) test::note_skipped("mounting needs root and /dev/fuse");
  return possible;
}

enum class view { read_only, writable };

/// Ends waits that a broken test would never end: cuts a mount off after a minute.
class watchdog {
 public:
  explicit watchdog(std::filesystem::path mount_point)
      : thread_([this, point = std::move(mount_point)](const std::stop_token& stop) {
          std::unique_lock lock(mutex_);
          if (!over_.wait_for(lock, stop, std::chrono::minutes(1), [&] { return stop.stop_requested(); }))
            umount2(point.c_str(), MNT_FORCE);
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any over_;
  std::jthread thread_;
};

/// A store in a temporary folder and the actors that mounts need.
class mount_fixture {
 public:
  explicit mount_fixture(fuse_limits limits = {})
      : database_(*database::open(folder_.path() / "db")),
        store_(*content_store::open(folder_.path() / "store", *database_, block_geometry{}, 64)),
        system_(config_),
        mounter_(spawn_mounter(system_, parts(limits))) {}
  ~mount_fixture() { stop(); }
  mount_fixture(const mount_fixture&) = delete;
  mount_fixture& operator=(const mount_fixture&) = delete;

  [[nodiscard]] mounter_parts parts(const fuse_limits& limits) const {
    return {.store = store_.get(),
            .mounts_folder = mounts_folder(),
            .limits = limits,
            .hybrid = hybrid_folders{.store = folder() / "store" / "contents",
                                     .images = folder() / "images",
                                     .trees = folder() / "trees",
                                     .contents = folder() / "content-mount"}};
  }
  [[nodiscard]] std::filesystem::path mounts_folder() const { return folder_.path() / "mounts"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] caf::actor_system& system() { return system_; }
  [[nodiscard]] content_store& store() { return *store_; }

  /// Ends what all mounts share, as a daemon does that stops.
  void stop() { end(mounter_); }
  result<mounted> mount(const mount_request& request) { return mount(request, mounter_); }
  result<mounted> mount(const mount_request& request, const mounter& by) {
    caf::scoped_actor self(system_);
    result<mounted> outcome = fail(errc::io, "no answer");
    self->request(by, std::chrono::seconds(30), request)
        .receive([&](const mounted& made) { outcome = made; },
                 [&](const caf::error& failure) { outcome = tl::unexpected(from_caf(failure)); });
    return outcome;
  }
  result<void> unmount(const instance& mount, busy_mount when_busy) {
    caf::scoped_actor self(system_);
    result<void> outcome;
    self->request(mount, std::chrono::seconds(30), unmount_request{when_busy})
        .receive([](unmounted) {},
                 [&](const caf::error& failure) { outcome = tl::unexpected(from_caf(failure)); });
    return outcome;
  }
  instance_status status(const instance& mount) {
    caf::scoped_actor self(system_);
    instance_status status;
    self->request(mount, std::chrono::seconds(30), caf::get_atom_v)
        .receive([&](const instance_status& now) { status = now; },
                 [](const caf::error& failure) { FAIL(to_string(from_caf(failure))); });
    return status;
  }
  /// Sends an exit message and waits for the end.
  template <class Handle>
  void end(const Handle& who) {
    caf::scoped_actor self(system_);
    self->send_exit(who, caf::exit_reason::user_shutdown);
    self->wait_for(who);
  }
  template <class Handle>
  void wait_for_end(const Handle& who) {
    caf::scoped_actor self(system_);
    self->wait_for(who);
  }

 private:
  temporary_folder folder_;
  std::unique_ptr<database> database_;
  std::unique_ptr<content_store> store_;
  caf::actor_system_config config_;
  caf::actor_system system_;
  mounter mounter_;
};

/// One image, mounted for the time of a test. Contents arrive through `source`.
class mounted_image {
 public:
  explicit mounted_image(const image_builder& builder, view how = view::read_only, fuse_limits limits = {},
                         mount_mode in = mount_mode::overlay)
      : fixture(limits), image(builder.build()), source(fixture.system(), fixture.store(), image), mode(in) {
    std::filesystem::create_directory(root());
    const auto made = fixture.mount(request(how));
    if (!made) FAIL(to_string(made.error()));
    CHECK(made->mode == mode);
    mount = made->handle;
  }
  ~mounted_image() { fixture.end(mount); }
  mounted_image(const mounted_image&) = delete;
  mounted_image& operator=(const mounted_image&) = delete;

  [[nodiscard]] mount_request request(view how) const {
    mount_request request{"image", image.toc, source.handle(), root(), {}, mode};
    request.record.target = root();
    request.record.image.toc = {sha256(image.toc->message())};
    if (how == view::writable)
      request.writable = writable_layer{fixture.folder() / "upper", fixture.folder() / "work"};
    return request;
  }
  /// Unmounts, mounts what it has left for writing again, and delivers all.
  void mount_again(mount_mode as) {
    REQUIRE(fixture.unmount(mount, busy_mount::refuse));
    fixture.wait_for_end(mount);
    mode = as;
    const auto again = fixture.mount(request(view::writable));
    if (!again) FAIL(to_string(again.error()));
    REQUIRE(again->mode == as);
    mount = again->handle;
    source.deliver_all();
  }
  [[nodiscard]] std::filesystem::path root() const { return fixture.folder() / "root"; }
  [[nodiscard]] std::string path(const std::string& relative) const { return (root() / relative).string(); }
  /// Where the disk has what was written.
  [[nodiscard]] std::string upper(const std::string& relative) const {
    return (fixture.folder() / "upper" / relative).string();
  }
  [[nodiscard]] instance_status status() { return fixture.status(mount); }

  mount_fixture fixture;
  image_builder::built image;
  fake_source source;
  mount_mode mode;
  instance mount;
  watchdog guard{mode == mount_mode::hybrid ? fixture.folder() / "content-mount"
                                            : fixture.mounts_folder() / "image" / "fuse"};
};

/// All bytes of a file, or nothing if it cannot be read to its end.
inline std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file && !file.eof()) return std::nullopt;
  if (file.bad()) return std::nullopt;
  return bytes;
}

}  // namespace firstlight
