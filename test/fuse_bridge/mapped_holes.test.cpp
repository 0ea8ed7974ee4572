// Holes of a file that programs write to by mapping it: lseek(2), SEEK_DATA.
#include <fcntl.h>
#include <sys/mman.h>

#include <cstring>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

TEST_CASE(
    "what a program has written to a mapping is no hole for others, and holes are known again after it") {
  if (!mounting_is_possible()) return;
  constexpr std::size_t file_bytes = 1U << 20U;
  constexpr off_t place = 100 * 4096;
  fuse_limits limits;
  limits.passthrough = GENERATE(true, false);
  CAPTURE(limits.passthrough);
  image_builder builder;
  builder.file("of image", "text");
  const mounted_image image(builder, view::writable, limits, mount_mode::fuse);
  const auto path = image.path("made");
  file_descriptor writer(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(ftruncate(writer.get(), file_bytes) == 0);
  void* const at = mmap(nullptr, file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  REQUIRE(at != MAP_FAILED);
  const file_descriptor reader(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(reader);
  std::memcpy(static_cast<char*>(at) + place, "text", 4);
  for (const int file : {writer.get(), reader.get()}) {
    const auto data = lseek(file, 0, SEEK_DATA);
    CHECK(data >= 0);
    CHECK(data <= place);
    CHECK(lseek(file, place, SEEK_DATA) == place);
    CHECK(lseek(file, place, SEEK_HOLE) > place);
    CHECK(lseek(file, file_bytes, SEEK_DATA) < 0);
    CHECK(errno == ENXIO);
  }
  writer = {};
  CHECK(lseek(reader.get(), place, SEEK_DATA) == place);
  REQUIRE(munmap(at, file_bytes) == 0);
  CHECK(eventually([&] { return lseek(reader.get(), 0, SEEK_DATA) > 0; }));
  CHECK(lseek(reader.get(), place, SEEK_DATA) == place);
}
