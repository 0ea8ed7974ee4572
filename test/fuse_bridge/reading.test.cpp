#include <fcntl.h>
#include <sys/mman.h>

#include <future>

#include "storage/posix_file.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t block = default_block_bytes;

struct read_outcome {
  std::string bytes;
  int error_number = 0;
};

read_outcome read_at_offset(const std::string& path, std::size_t bytes, off_t offset) {
  const file_descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {{}, errno};
  std::string buffer(bytes, '\0');
  const auto got = pread(file.get(), buffer.data(), bytes, offset);
  if (got < 0) return {{}, errno};
  buffer.resize(static_cast<std::size_t>(got));
  return {buffer, 0};
}

}  // namespace

TEST_CASE("a complete image reads as it is") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("one", patterned_bytes(3 * block + 5, 1));
  builder.file("two", "x");
  builder.file("empty", "");
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  image.source.deliver_all();
  CHECK(read_file(image.path("one")) == patterned_bytes(3 * block + 5, 1));
  CHECK(read_file(image.path("two")) == "x");
  CHECK(read_file(image.path("empty")) == "");
  CHECK(image.source.wanted().empty());
}

TEST_CASE("a read waits for its own blocks, asks for them and a little beyond, and no more") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(40 * block, 2);
  image_builder builder;
  builder.file("file", bytes);
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  auto reader =
      std::async(std::launch::async, [&] { return read_at_offset(image.path("file"), 10, 10 * block); });
  REQUIRE(image.source.wait_for_wants(1));
  CHECK(image.source.wanted() == std::vector<block_run>{{0, 10, 1 + fuse_limits{}.want_beyond_blocks}});
  const auto during = image.status();
  REQUIRE(during.waiting.size() == 1);
  CHECK(during.waiting[0].path == "file");
  CHECK(during.waiting[0].offset == 10 * block);
  CHECK(during.waiting[0].cause == "blocks that were asked for");
  CHECK(during.waiting[0].thread != 0);
  image.source.deliver({0, 10, 1});
  CHECK(reader.get().bytes == bytes.substr(10 * block, 10));
  const auto after = image.status();
  CHECK(after.waits == 1);
  CHECK(after.misses == 1);
  CHECK(after.waiting_now == 0);
}

TEST_CASE("blocks that are there are read while their neighbours are missing") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(8 * block, 3);
  image_builder builder;
  builder.file("file", bytes);
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  image.source.deliver({0, 5, 1});
  const auto got = read_at_offset(image.path("file"), block, 5 * block);
  CHECK(got.bytes == bytes.substr(5 * block, block));
}

TEST_CASE("a page fault at the start of a block needs only that block") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(8 * block, 4);
  image_builder builder;
  builder.file("file", bytes);
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  image.source.deliver({0, 4, 1});
  const file_descriptor file(open(image.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  void* const map = mmap(nullptr, bytes.size(), PROT_READ, MAP_PRIVATE, file.get(), 0);
  REQUIRE(map != MAP_FAILED);
  CHECK(static_cast<const char*>(map)[4 * block] == bytes[4 * block]);
  munmap(map, bytes.size());
}

TEST_CASE("a failed block gives its readers EIO and its cause to the status") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", patterned_bytes(4 * block, 5));
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  image.source.on_want(fake_source::answer::fail);
  CHECK(read_at_offset(image.path("file"), 10, 0).error_number == EIO);
  const auto status = image.status();
  CHECK(status.last_error == "corrupt: the hub sent wrong bytes three times");
  CHECK(status.failed_blocks >= 1);
  CHECK(status.waiting_now == 0);
}

TEST_CASE("a block that failed is read once it has arrived after all") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(2 * block, 6);
  image_builder builder;
  builder.file("file", bytes);
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  image.source.on_want(fake_source::answer::fail);
  REQUIRE(read_at_offset(image.path("file"), 10, 0).error_number == EIO);
  image.source.deliver_content(0);
  CHECK(read_at_offset(image.path("file"), 10, 0).bytes == bytes.substr(0, 10));
  CHECK(image.status().failed_blocks == 0);
}

TEST_CASE("a reader gets EIO when nothing arrives for the configured time") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", patterned_bytes(block, 7));
  fuse_limits limits;
  limits.wait_without_progress_max = std::chrono::milliseconds(100);
  limits.wait_check_interval = std::chrono::milliseconds(10);
  mounted_image image(builder, view::read_only, limits);
  CHECK(read_at_offset(image.path("file"), 10, 0).error_number == EIO);
  CHECK(image.status().last_error.find("wait_without_progress_max") != std::string::npos);
}

TEST_CASE("the kernel's read-ahead is one block until the image is complete") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", patterned_bytes(64 * block, 8));
  mounted_image image(builder, view::read_only, {}, GENERATE(mount_mode::overlay, mount_mode::hybrid));
  struct stat st {};
  const auto fuse =
      image.mode == mount_mode::hybrid ? image.fixture.folder() / "content-mount" : image.root();
  REQUIRE(stat(fuse.c_str(), &st) == 0);
  const auto control = "/sys/class/bdi/" + std::to_string(st.st_dev >> 8U) + ":" +
                       std::to_string(st.st_dev & 0xffU) + "/read_ahead_kb";
  CHECK(read_file(control) == "16\n");
  image.source.deliver_all();
  CHECK(eventually([&] { return read_file(control) == "512\n"; }));
}
