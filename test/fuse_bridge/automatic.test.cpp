#include <sys/syscall.h>

#include <set>

#include "actors/access_recorder.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/call_watch.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

/// File systems that this kernel does not mount, with what error, and what `auto` then is.
struct poor_kernel {
  std::set<std::string> refused;
  int error_number;
  mount_mode best;
  std::string fallback;  ///< begins so
};

int refuse(const test::watched_call& mount, const poor_kernel& kernel) {
  const auto* const kind = reinterpret_cast<const char*>(mount.arguments[2]);
  return kind != nullptr && kernel.refused.contains(kind) ? kernel.error_number : 0;
}

/// A mount in mode auto.
struct automatic_mount {
  image_builder::built image = [] {
    image_builder builder;
    builder.file("file", "of the image");
    return builder.build();
  }();
  mount_fixture fixture;
  fake_source source{fixture.system(), fixture.store(), image};
  std::filesystem::path root = fixture.folder() / "root";

  /// Mounts, writable and with more that is asked for, and checks that it is as this kernel lets it be.
  mounted mount(const poor_kernel& kernel, mount_request more = {}) {
    fs::create_directory(root);
    more.name = "image";
    more.toc = image.toc;
    more.source = source.handle();
    more.target = root;
    more.mode = mount_mode::automatic;
    more.writable = writable_layer{fixture.folder() / "upper", fixture.folder() / "work"};
    auto made = fixture.mount(more);
    if (!made) FAIL(to_string(made.error()));
    CHECK(made->mode == kernel.best);
    CHECK(made->fallback.starts_with(kernel.fallback));
    CHECK(made->fallback.empty() == kernel.fallback.empty());
    return std::move(*made);
  }
};

/// Runs `work(automatic_mount&)` on such a kernel, or says that this machine cannot be made one.
template <class Work>
void on_poor_kernel(const poor_kernel& kernel, Work work) {
  const auto judge = [&](const test::watched_call& call) { return refuse(call, kernel); };
  const bool watched = test::watch_calls({SYS_mount}, judge, [&] {
    automatic_mount all;
    work(all);
  });
  if (!watched) test::note_skipped("system calls cannot be watched here (seccomp)");
}

}  // namespace

TEST_CASE("in mode auto what the kernel refuses leads to the next mode, which works and says why") {
  if (!mounting_is_possible()) return;
  const std::string worst = "neither hybrid nor overlay: ";
  const auto kernel = GENERATE_COPY(values<poor_kernel>(
      {{{}, 0, mount_mode::hybrid, ""},
       {{"erofs"}, ENODEV, mount_mode::overlay, "not hybrid: this kernel has no EROFS"},
       {{"erofs"},
        ENOTBLK,
        mount_mode::overlay,
        "not hybrid: this kernel mounts no EROFS image that is a file"},
       {{"overlay"}, ENODEV, mount_mode::fuse, worst + "this kernel has no overlayfs"},
       {{"erofs", "overlay"}, ENODEV, mount_mode::fuse, worst + "this kernel has no overlayfs"},
       // As of an upper folder on a disk that overlayfs cannot use.
       {{"overlay"}, EINVAL, mount_mode::fuse, worst + "mount overlayfs on "}}));
  on_poor_kernel(kernel, [&](automatic_mount& all) {
    const auto made = all.mount(kernel);
    all.source.deliver_all();
    CHECK(read_file((all.root / "file").string()) == "of the image");
    std::ofstream(all.root / "new") << "written";
    CHECK(read_file((all.fixture.folder() / "upper" / "new").string()) == "written");
    all.fixture.end(made.handle);
  });
}

TEST_CASE("a recording on purpose does without overlayfs where the kernel has none, and tells blocks") {
  if (!mounting_is_possible()) return;
  const auto kernel = GENERATE(values<poor_kernel>(
      {{{}, 0, mount_mode::overlay, ""}, {{"overlay"}, ENODEV, mount_mode::fuse, "not overlay: "}}));
  on_poor_kernel(kernel, [&](automatic_mount& all) {
    all.source.deliver_all();
    mount_request recording;
    recording.record_blocks = true;
    recording.recorder = std::make_shared<access_recorder>(std::chrono::nanoseconds(1),
                                                           recorded_detail::blocks, recording_limits{});
    const auto made = all.mount(kernel, recording);
    CHECK(read_file((all.root / "file").string()) == "of the image");
    const auto read = recording.recorder->finish();
    REQUIRE(read.size() == 1);
    CHECK(read[0].runs.size() == 1);
    all.fixture.end(made.handle);
  });
}
