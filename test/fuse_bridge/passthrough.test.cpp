#include <fcntl.h>
#include <sys/mman.h>

#include "fuse_bridge/backing_files.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/skipped.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = default_block_bytes;

image_builder image_with_files() {
  image_builder image;
  image.file("large", patterned_bytes(9 * block + 7, 1));
  image.file("other", patterned_bytes(2 * block, 2));
  image.file("small", "small");
  image.file("empty", "");
  return image;
}

fuse_limits some_limits() {
  fuse_limits limits;
  limits.passthrough_bytes_min = 100;
  return limits;
}

/// Says so when this kernel or this disk has none.
bool is_possible(const instance_status& status) {
  if (status.opens_through > 0) return true;
  test::note_skipped("this kernel has no FUSE passthrough to the files of " +
                     fs::temp_directory_path().string());
  return false;
}

std::string mapped(const std::string& path, std::size_t bytes) {
  const file_descriptor file(::open(path.c_str(), O_RDONLY));
  REQUIRE(file);
  void* const at = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
  REQUIRE(at != MAP_FAILED);
  std::string text(static_cast<const char*>(at), bytes);
  munmap(at, bytes);
  return text;
}

}  // namespace

TEST_CASE("whole contents are read and mapped past FUSE") {
  if (!mounting_is_possible()) return;
  const auto how = GENERATE(view::read_only, view::writable);
  mounted_image image(image_with_files(), how, some_limits());
  image.source.deliver_all();
  const auto expected = patterned_bytes(9 * block + 7, 1);
  CHECK(read_file(image.path("large")) == expected);
  if (!is_possible(image.status())) return;
  CHECK(mapped(image.path("large"), expected.size()) == expected);
  CHECK(read_file(image.path("empty"))->empty());
  CHECK(image.status().reads == 0);
  CHECK(read_file(image.path("small")) == "small");
  const auto status = image.status();
  CHECK(status.opens_through == 2);
  CHECK(status.opens_by_fuse == 2);
  CHECK(status.reads == 1);
}

TEST_CASE(
    "a file that is open while it arrives stays on FUSE, and so do others of it until the last is closed") {
  if (!mounting_is_possible()) return;
  mounted_image image(image_with_files(), view::read_only, some_limits());
  image.source.on_want(fake_source::answer::deliver);
  const auto expected = patterned_bytes(9 * block + 7, 1);
  {
    const file_descriptor early(::open(image.path("large").c_str(), O_RDONLY));
    REQUIRE(early);
    char first = 0;
    REQUIRE(pread(early.get(), &first, 1, 0) == 1);
    image.source.deliver_all();
    CHECK(read_file(image.path("large")) == expected);
    CHECK(mapped(image.path("large"), expected.size()) == expected);
    CHECK(image.status().opens_through == 0);
  }
  CHECK(read_file(image.path("large")) == expected);
  if (!is_possible(image.status())) return;
  // The other way round.
  const file_descriptor through(::open(image.path("other").c_str(), O_RDONLY));
  const auto reads = image.status().reads;
  CHECK(read_file(image.path("other")) == patterned_bytes(2 * block, 2));
  CHECK(image.status().reads == reads);
}

TEST_CASE("without passthrough, by setting, opens are not even asked for") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.passthrough = false;
  mounted_image image(image_with_files(), view::read_only, limits);
  image.source.deliver_all();
  CHECK(read_file(image.path("large")) == patterned_bytes(9 * block + 7, 1));
  CHECK(image.status().opens_through == 0);
  CHECK(image.status().opens_by_fuse == 0);
  CHECK(image.status().reads > 0);
}

TEST_CASE("what was written in mode fuse is read, written and mapped past it") {
  if (!mounting_is_possible()) return;
  mounted_image image(image_with_files(), view::writable, {}, mount_mode::fuse);
  image.source.deliver_all();
  const file_descriptor file(::open(image.path("made").c_str(), O_RDWR | O_CREAT, 0600));
  REQUIRE(file);
  if (!is_possible(image.status())) return;
  const std::string text(3 * block, 'x');
  REQUIRE(write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  CHECK(fs::file_size(image.path("made")) == text.size());
  CHECK(mapped(image.path("made"), text.size()) == text);
  REQUIRE(ftruncate(file.get(), 10) == 0);
  CHECK(read_file(image.path("made")) == text.substr(0, 10));
  CHECK(image.status().reads == 0);

  // A file of the image is promoted while somebody reads it: he sees what is written.
  const file_descriptor reader(::open(image.path("other").c_str(), O_RDONLY));
  const file_descriptor writer(::open(image.path("other").c_str(), O_RDWR));
  REQUIRE(pwrite(writer.get(), "new", 3, 5) == 3);
  char seen[3];
  REQUIRE(pread(reader.get(), seen, 3, 5) == 3);
  CHECK(std::string_view(seen, 3) == "new");
}

TEST_CASE("the table of open files goes over to the next process") {
  const temporary_folder folder;
  const auto table = folder.path() / "opens";
  const auto counters = std::make_shared<session_counters>();
  const auto none = [] { return file_descriptor{}; };
  {
    const auto files = *backing_files::open_table(-1, table, counters);
    files->open(7, none);
    files->open(7, none);
    files->open(9, none);
    files->close(9);
  }
  std::uint64_t asked = 0;
  const auto ask = [&] {
    ++asked;
    return file_descriptor{};
  };
  const auto files = *backing_files::open_table(-1, table, counters);
  CHECK_FALSE(files->open(7, ask).through);
  CHECK(asked == 0);  // it is open already: the way is decided
  for (int i = 0; i < 3; ++i) files->close(7);
  files->close(7);  // of nothing that is known
  files->open(7, ask);
  files->open(9, ask);
  CHECK(asked == 2);
}
