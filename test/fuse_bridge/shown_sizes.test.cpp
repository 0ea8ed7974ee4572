#include "storage/erofs/shown_sizes.hpp"

#include "fuse_bridge/attributes.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/seen_sizes.hpp"

using namespace firstlight;

namespace {

/// Directories without entries, with few, and with so many that they take several blocks.
image_builder directories_of_many_sizes() {
  image_builder builder;
  builder.directory("empty");
  builder.file("few/a", patterned_bytes(100'000, 1));
  builder.file("few/-before the dots", "");
  builder.file("few/below/b", "b");
  for (int i = 0; i < 300; ++i)
    builder.file("many/" + std::string(static_cast<std::size_t>(i % 200), 'n') + std::to_string(i), "");
  for (int i = 0; i < 400; ++i) builder.directory("folders/" + std::to_string(i));
  return builder;
}

seen_sizes seen_in(mount_mode mode, view how) {
  const mounted_image image(directories_of_many_sizes(), how, {}, mode);
  return see_sizes(image.root());
}

seen_sizes::of_directory of_folder(const std::filesystem::path& path) {
  return see_sizes(path).directories.at(".");
}

}  // namespace

TEST_CASE("read-only mounts of all modes show the same sizes, of directories and of the whole") {
  if (!mounting_is_possible()) return;
  const auto hybrid = seen_in(mount_mode::hybrid, view::read_only);
  CHECK((seen_in(mount_mode::overlay, view::read_only) == hybrid));
  CHECK((seen_in(mount_mode::fuse, view::read_only) == hybrid));
  const auto toc = directories_of_many_sizes().build().toc;
  CHECK(hybrid.blocks == statistics_of(*toc).f_blocks);
  CHECK(hybrid.used_inodes == toc->inode_count());
  CHECK(hybrid.directories.size() == 406);
  CHECK(hybrid.directories.at("empty") == seen_sizes::of_directory{27, 8});
  CHECK(hybrid.directories.at("many").bytes > 4 * shown_block_bytes);
  CHECK(hybrid.directories.at("many").sectors == blocks_for(hybrid.directories.at("many").bytes) * 8);
}

TEST_CASE("writable mounts of all modes show the same sizes of the image's directories") {
  if (!mounting_is_possible()) return;
  const auto directories_in = [](mount_mode mode, view how) {
    auto all = seen_in(mode, how).directories;
    all.erase(".");  // the upper folder's
    return all;
  };
  const auto image = directories_in(mount_mode::hybrid, view::read_only);
  for (const auto mode : {mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse}) {
    CAPTURE(to_string(mode));
    CHECK((directories_in(mode, view::writable) == image));
  }
}

TEST_CASE("a directory that was written to has its size on the disk, others the image's") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  CAPTURE(to_string(mode));
  mounted_image image(directories_of_many_sizes(), view::writable, {}, mode);
  const auto before = see_sizes(image.root()).directories;
  std::ofstream(image.path("few/new")) << "new";
  const auto after = see_sizes(image.root()).directories;
  CHECK(after.at("few") == of_folder(image.fixture.folder() / "upper" / "few"));
  for (const std::string name : {"empty", "few/below", "many", "folders"}) {
    CAPTURE(name);
    CHECK(after.at(name) == before.at(name));
  }
}
