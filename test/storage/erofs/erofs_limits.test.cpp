#include "test/harness/node/test_image.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

result<erofs_image> plan_of(const image_builder& builder) {
  const auto toc = builder.build().toc;
  return erofs_image::plan(toc, toc_id{sha256(toc->message())});
}

void check_refused(const image_builder& builder, const std::string& what) {
  const auto plan = plan_of(builder);
  REQUIRE_FALSE(plan);
  CHECK(plan.error().code == errc::limit_exceeded);
  INFO(plan.error().detail);
  CHECK(plan.error().detail.find(what) != std::string::npos);
  CHECK(plan.error().detail.ends_with("/folder/file"));
}

}  // namespace

TEST_CASE("a name of 256 bytes is refused before there is a TOC") {
  image_builder builder;
  builder.file(std::string(256, 'n'), "x");
  CHECK_THROWS_WITH(builder.build(), Catch::Contains("limit_exceeded"));
}

TEST_CASE("an extended attribute of 64 KiB is refused with its path; a byte less is held") {
  image_builder builder;
  auto& file = builder.file("folder/file", "x");
  SECTION("65536 bytes") {
    file.xattrs = {{"user.large", std::string(65'536, 'v')}};
    check_refused(builder, "more than 65535 bytes");
  }
  SECTION("65535 bytes") {
    file.xattrs = {{"user.large", std::string(65'535, 'v')}};
    CHECK(plan_of(builder));
  }
}

TEST_CASE("more attributes than an inode can hold are refused with its path") {
  image_builder builder;
  auto& file = builder.file("folder/file", "x");
  for (int i = 0; i < 300; ++i)
    file.xattrs.push_back({"user.n" + std::to_string(1000 + i), std::string(1000, 'v')});
  check_refused(builder, "so many extended attributes");
}

TEST_CASE("an image above its limit is refused before it is written, however few bytes name it") {
  image_builder builder;
  for (int i = 0; i < 1000; ++i) builder.file("f" + std::to_string(i), "x");
  const auto toc = builder.build().toc;
  const auto bytes = planned(toc).bytes();
  CHECK(erofs_image::plan(toc, {}, {.image_bytes_max = bytes}));
  for (const std::uint64_t limit : {bytes - 1, std::uint64_t{5000}}) {
    const auto refused = erofs_image::plan(toc, {}, {.image_bytes_max = limit});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::limit_exceeded);
    CHECK(refused.error().detail.find("image_bytes_max") != std::string::npos);
  }
}

TEST_CASE("an overlay mark whose escaped name Linux cannot name is refused; a byte less is held") {
  constexpr std::size_t prefix = std::string_view("trusted.overlay.overlay.").size();
  image_builder builder;
  auto& file = builder.file("folder/file", "x");
  SECTION("256 bytes") {
    file.xattrs = {{"trusted.overlay." + std::string(256 - prefix, 'n'), "v"}};
    check_refused(builder, "escaped name");
  }
  SECTION("255 bytes") {
    file.xattrs = {{"trusted.overlay." + std::string(255 - prefix, 'n'), "v"}};
    CHECK(plan_of(builder));
  }
}

TEST_CASE("a full disk is an error, whatever had been written") {
  image_builder builder;
  for (int i = 0; i < 3000; ++i) builder.file("f" + std::to_string(i), "x");
  const auto image = planned(builder.build().toc);
  const file_descriptor full(::open("/dev/full", O_RDWR | O_CLOEXEC));
  const auto written = image.write(full.get());
  REQUIRE_FALSE(written);
  CHECK(written.error().code == errc::no_space);
}

TEST_CASE("what a TOC claims but does not need cannot disturb the image") {
  if (!mounting_is_possible()) return;
  auto tree = image_builder().build().toc->tree();
  tree.inodes[0].size = UINT64_MAX;
  tree.inodes[0].links = UINT32_MAX;
  tree.inodes[0].uid = UINT32_MAX - 1;
  tree.inodes[0].modified = {INT64_MIN, 999'999'999};
  image_inode device;
  device.type = file_type::fifo;
  device.size = UINT64_MAX;
  device.modified = {INT64_MAX, 0};
  tree.inodes.push_back(device);
  tree.directories[0].entries.push_back({"fifo", 1});
  const temporary_folder folder;
  write_image(toc_of(tree), folder.path() / "image");
  CHECK(passes_fsck(folder.path() / "image"));
  const auto mounted = mount_erofs(folder.path() / "image", folder.path() / "root");
  CHECK(first_differences(observe_tree(as_stored(tree), read_zeros), observe_folder(mounted->path())) ==
        std::vector<std::string>{});
}

}  // namespace firstlight
