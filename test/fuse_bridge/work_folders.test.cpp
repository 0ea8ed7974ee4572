// What mode fuse has in the work folder of a layer goes, however an operation or a session ends.
#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

void write_below(const fs::path& folder, const char* name) {
  fs::create_directories(folder);
  std::ofstream(folder / name) << "of a session that has ended";
}

}  // namespace

TEST_CASE("what a session in mode fuse has left goes when the layer is mounted in another mode") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::hybrid, mount_mode::fuse);
  CAPTURE(to_string(mode));
  image_builder builder;
  builder.file("file", "contents");
  mounted_image image(builder, view::writable, {}, mount_mode::fuse);
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  const auto work = image.fixture.folder() / "work";
  write_below(work / "firstlight", "1");
  write_below(work / "firstlight-kept", "1000");
  fs::create_directory(work / "firstlight-kept" / "1001");
  write_below(work / "firstlight-exchanges", "7");
  image.mode = mode;
  const auto again = image.fixture.mount(image.request(view::writable));
  REQUIRE(again);
  image.mount = again->handle;
  for (const auto* name :
       {"firstlight/1", "firstlight-kept/1000", "firstlight-kept/1001", "firstlight-exchanges"})
    CHECK_FALSE(fs::exists(work / name));
}
