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
  const auto judge = [&](const test::watched_call& call) { return refuse(call, kernel); };
  const bool watched = test::watch_calls({SYS_mount}, judge, [&] {
    image_builder builder;
    builder.file("file", "of the image");
    const auto built = builder.build();
    mount_fixture fixture;
    fake_source source(fixture.system(), fixture.store(), built);
    const auto root = fixture.folder() / "root";
    fs::create_directory(root);
    mount_request request{"image", built.toc, source.handle(), root, {}, mount_mode::automatic};
    request.writable = writable_layer{fixture.folder() / "upper", fixture.folder() / "work"};
    const auto made = fixture.mount(request);
    if (!made) FAIL(to_string(made.error()));
    CHECK(made->mode == kernel.best);
    CHECK(made->fallback.starts_with(kernel.fallback));
    CHECK(made->fallback.empty() == kernel.fallback.empty());
    source.deliver_all();
    CHECK(read_file((root / "file").string()) == "of the image");
    std::ofstream(root / "new") << "written";
    CHECK(read_file((fixture.folder() / "upper" / "new").string()) == "written");
    fixture.end(made->handle);
  });
  if (!watched) test::note_skipped("system calls cannot be watched here (seccomp)");
}

TEST_CASE("a recording on purpose does without overlayfs where the kernel has none, and tells blocks") {
  if (!mounting_is_possible()) return;
  const auto kernel = GENERATE(values<poor_kernel>(
      {{{}, 0, mount_mode::overlay, ""}, {{"overlay"}, ENODEV, mount_mode::fuse, "not overlay: "}}));
  const auto judge = [&](const test::watched_call& call) { return refuse(call, kernel); };
  const bool watched = test::watch_calls({SYS_mount}, judge, [&] {
    image_builder builder;
    builder.file("file", "of the image");
    const auto built = builder.build();
    mount_fixture fixture;
    fake_source source(fixture.system(), fixture.store(), built);
    source.deliver_all();
    const auto root = fixture.folder() / "root";
    fs::create_directory(root);
    mount_request request{"image", built.toc, source.handle(), root, {}, mount_mode::automatic};
    request.writable = writable_layer{fixture.folder() / "upper", fixture.folder() / "work"};
    request.record_blocks = true;
    request.recorder = std::make_shared<access_recorder>(std::chrono::nanoseconds(1), recorded_detail::blocks,
                                                         recording_limits{});
    const auto made = fixture.mount(request);
    if (!made) FAIL(to_string(made.error()));
    CHECK(made->mode == kernel.best);
    CHECK(made->fallback.starts_with(kernel.fallback));
    CHECK(read_file((root / "file").string()) == "of the image");
    const auto read = request.recorder->finish();
    REQUIRE(read.size() == 1);
    CHECK(read[0].runs.size() == 1);
    fixture.end(made->handle);
  });
  if (!watched) test::note_skipped("system calls cannot be watched here (seccomp)");
}
