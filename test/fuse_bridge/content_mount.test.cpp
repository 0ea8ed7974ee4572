#include "fuse_bridge/hybrid/content_mount.hpp"

#include <fcntl.h>

#include <future>

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
