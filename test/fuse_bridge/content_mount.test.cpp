#include <fcntl.h>

#include <future>

#include "actors/node/instance.hpp"
#include "fuse_bridge/hybrid/hybrid_bridge.hpp"
#include "storage/content_name.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/eventually.hpp"

/// The content mount of hybrid mounts, without a mounter.
using namespace firstlight;

namespace {

std::shared_ptr<content_member> member_of(const image_builder::built& image) {
  return std::make_shared<content_member>(
      content_member{{sha256(image.toc->message())}, {image.toc, std::make_shared<session_counters>()}, {}});
}

/// An image that is mounted in mode hybrid, with its bridge in hand.
struct bridged_image {
  explicit bridged_image(const image_builder& builder) : image(builder.build()) {
    REQUIRE(contents->start());
    REQUIRE(contents->join(member, behind));
    auto tree = trees.get(image.toc, member->toc);
    REQUIRE(tree);
    std::filesystem::create_directory(root);
    auto mount = hybrid_mount::make(contents, std::move(*tree),
                                    {.private_folder = fixture.mounts_folder() / "image",
                                     .target = root,
                                     .writable = {},
                                     .store = fixture.folder() / "store" / "contents",
                                     .record = {}});
    REQUIRE(mount);
    REQUIRE((*mount)->watch(*gone, [] {}));
    caf::anon_send(bridge, adopt_hybrid{std::move(*mount)});
  }
  /// A mount that was used stays.
  ~bridged_image() {
    fixture.end(behind);
    umount2(root.c_str(), MNT_DETACH);
    umount2(point.c_str(), MNT_DETACH);
  }
  bridged_image(const bridged_image&) = delete;
  bridged_image& operator=(const bridged_image&) = delete;

  void fail_bridge() {
    caf::scoped_actor self(fixture.system());
    self->send_exit(bridge, caf::exit_reason::unhandled_exception);
    self->wait_for(bridge);
  }
  void deliver(const std::string& bytes) {
    for (std::uint32_t content = 0; content < image.bytes.size(); ++content)
      if (image.bytes[content] == bytes) source.deliver_content(content);
  }

  image_builder::built image;
  mount_fixture fixture;
  std::filesystem::path root = fixture.folder() / "root";
  std::filesystem::path point = fixture.folder() / "contents-alone";
  fake_source source{fixture.system(), fixture.store(), image};
  tree_mounts trees{fixture.folder() / "trees-alone", fixture.folder() / "images-alone",
                    std::make_shared<erofs_plans>(erofs_limits{})};
  std::shared_ptr<unmount_watch> gone = *unmount_watch::make();
  std::shared_ptr<content_mount> contents = std::make_shared<content_mount>(
      fixture.system(), content_mount_parts{.store = &fixture.store(), .point = point});
  std::shared_ptr<content_member> member = member_of(image);
  std::shared_ptr<failed_mounts> failed = std::make_shared<failed_mounts>();
  hybrid_bridge bridge = spawn_hybrid_bridge(
      fixture.system(),
      {contents, member, std::make_shared<arriving_images>(contents, fuse_limits{}), failed});
  instance behind = spawn_instance(
      fixture.system(), {image.toc, &fixture.store(), source.handle(), bridge, member->image.counters, {}});
  watchdog guard{point};
};

/// 0, or why not even one byte could be read.
int error_of_reading(const std::filesystem::path& path) {
  const file_descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  return file && pread(file.get(), &byte, 1, 0) >= 0 ? 0 : errno;
}

}  // namespace

TEST_CASE("a content mount does not end before its bridge has, which may serve a read again") {
  if (!mounting_is_possible()) return;
  std::atomic<std::uint64_t> waiter{0};
  std::atomic<bool> serving{false};
  std::atomic<bool> served{false};
  std::promise<void> mount_gone;
  const auto gone = mount_gone.get_future().share();
  image_builder builder;
  builder.file("file", "file");
  const auto image = builder.build();
  mount_fixture fixture;
  const auto point = fixture.folder() / "contents-alone";
  auto contents = std::make_unique<content_mount>(
      fixture.system(), content_mount_parts{.store = &fixture.store(), .point = point});
  const watchdog guard(point);
  const auto first = member_of(image);
  const auto second = member_of(image);
  REQUIRE(contents->join(first, {}));
  REQUIRE(contents->join(second, {}));
  // In place of their instances.
  first->on_park = [&](const park_read& read) { waiter = static_cast<std::uint64_t>(read.waiter); };
  second->on_park = [&](const park_read&) {
    serving = true;
    gone.wait_for(std::chrono::milliseconds(500));
    served = true;
  };
  REQUIRE(contents->start());
  const auto file = point / content_name(image.toc->content(0).id).view();
  auto reader = std::async(std::launch::async, [&] { return error_of_reading(file); });
  REQUIRE(eventually([&] { return waiter != 0; }));
  contents->leave(first);
  contents->release({{waiter_id{waiter.load()}}, error{errc::cancelled, "the mount was taken down"}, true});
  REQUIRE(eventually([&] { return serving.load(); }));
  contents.reset();
  CHECK(served);
  mount_gone.set_value();
  CHECK(reader.get() != 0);
}

TEST_CASE("a used mount whose bridge fails shows what has arrived, and lets nobody wait for the rest") {
  if (!mounting_is_possible()) return;
  const auto late = patterned_bytes(default_block_bytes, 1);
  image_builder builder;
  builder.file("late", late);
  builder.file("waiting", "waiting");
  builder.file("missing", "missing");
  bridged_image all(builder);
  const file_descriptor opened(open((all.root / "late").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(opened);
  auto reader = std::async(std::launch::async, [&] { return error_of_reading(all.root / "waiting"); });
  REQUIRE(all.source.wait_for_wants(1));
  all.fail_bridge();
  CHECK(eventually([&] { return reader.wait_for(std::chrono::seconds(0)) == std::future_status::ready; }));
  CHECK(reader.get() == EIO);
  CHECK(error_of_reading(all.root / "missing") == EIO);
  all.deliver(late);
  std::string read(late.size(), '\0');
  CHECK(pread(opened.get(), read.data(), read.size(), 0) == static_cast<ssize_t>(read.size()));
  CHECK(read == late);
}

TEST_CASE("nothing is kept of a failed mount that was taken down and has lost its last user") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("late", "late");
  bridged_image all(builder);
  file_descriptor opened(open((all.root / "late").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(opened);
  all.fail_bridge();
  all.fixture.wait_for_end(all.behind);
  const std::weak_ptr<content_member> known = std::exchange(all.member, nullptr);
  REQUIRE(all.failed->take_down("image", busy_mount::detach));
  CHECK_FALSE(known.expired());  // its file is open
  opened = file_descriptor();
  CHECK(eventually([&] {
    static_cast<void>(all.failed->take_down("image", busy_mount::refuse));
    return known.expired();
  }));
  CHECK(std::filesystem::is_empty(all.fixture.mounts_folder()));
}
