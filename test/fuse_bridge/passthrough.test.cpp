#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "fuse_bridge/backing_files.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/call_watch.hpp"
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

// FUSE_DEV_IOC_BACKING_OPEN
constexpr auto lend_to_kernel = static_cast<std::uint32_t>(_IOC(_IOC_WRITE, 229, 1, 16));

/// Writes and maps a new file in pieces; it then has 64 times the text.
void write_in_pieces(const std::string& path, const std::string& text) {
  const file_descriptor file(::open(path.c_str(), O_RDWR | O_CREAT, 0600));
  REQUIRE(file);
  const auto bytes = static_cast<off_t>(text.size());
  for (off_t piece = 0; piece < 64; ++piece)
    REQUIRE(pwrite(file.get(), text.data(), text.size(), piece * bytes) == bytes);
  void* const at = mmap(nullptr, text.size(), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  REQUIRE(at != MAP_FAILED);
  std::memcpy(at, text.data(), text.size());
  REQUIRE(msync(at, text.size(), MS_SYNC) == 0);
  munmap(at, text.size());
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
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
  REQUIRE(through);
  const auto opens = image.status().opens_through;
  const auto reads = image.status().reads;
  CHECK(read_file(image.path("other")) == patterned_bytes(2 * block, 2));
  CHECK(image.status().reads == reads);
  CHECK(image.status().opens_through == opens + 1);
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

TEST_CASE(
    "no write to a file that the kernel has been lent asks FUSE, and each one does without passthrough") {
  if (!mounting_is_possible()) return;
  const auto text = patterned_bytes(5'000, 4);
  fuse_limits limits;
  limits.passthrough = GENERATE(true, false);
  mounted_image image(image_with_files(), view::writable, limits, mount_mode::fuse);
  write_in_pieces(image.path("made"), text);
  const auto status = image.status();
  if (limits.passthrough && !is_possible(status)) return;
  CHECK((status.writes == 0) == limits.passthrough);
  CHECK(status.opens_through == (limits.passthrough ? 1 : 0));
  // The kernel may ask before each whether the file has a capability, which a write takes away.
  if (limits.passthrough) CHECK(status.requests < 64 + 20);
  CHECK(read_file(image.path("made")) == repeated(text, 64));
  CHECK(read_file((image.fixture.folder() / "upper" / "made").string()) == repeated(text, 64));
}

TEST_CASE("where the kernel refuses backing files all goes through FUSE, and it is asked once for a mount") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::fuse);
  CAPTURE(to_string(mode));
  std::atomic<int> asked{0};
  const auto refuse = [&](const test::watched_call& call) {
    if (static_cast<std::uint32_t>(call.arguments[1]) != lend_to_kernel) return 0;
    ++asked;
    return EPERM;
  };
  const bool watched = test::watch_calls({SYS_ioctl}, refuse, [&] {
    mounted_image image(image_with_files(), view::writable, some_limits(), mode);
    image.source.deliver_all();
    const auto text = patterned_bytes(5'000, 4);
    const auto large = patterned_bytes(9 * block + 7, 1);
    write_in_pieces(image.path("made"), text);
    write_in_pieces(image.path("too"), text);
    CHECK(read_file(image.path("made")) == repeated(text, 64));
    CHECK(read_file(image.path("large")) == large);
    CHECK(read_file(image.path("other")) == patterned_bytes(2 * block, 2));
    CHECK(mapped(image.path("large"), large.size()) == large);
    const auto status = image.status();
    CHECK(status.opens_through == 0);
    CHECK(status.reads > 0);
    if (mode == mount_mode::fuse) CHECK(status.writes >= 128);
    if (asked > 0) CHECK(status.opens_by_fuse >= 3);
  });
  if (!watched) return test::note_skipped("system calls cannot be watched here (seccomp)");
  if (asked == 0) return test::note_skipped("this kernel has no FUSE passthrough");
  CHECK(asked == 1);
}

TEST_CASE("the table of open files goes over to the next process") {
  const temporary_folder folder;
  const auto table = folder.path() / "open-files";
  const auto counters = std::make_shared<session_counters>();
  const auto none = [] { return file_descriptor{}; };
  {
    const auto files = *backing_files::open_table(-1, table, counters);
    files->open({2, 7}, none);
    files->open({4, 7}, none);
    files->open({6, 9}, none);
    files->close(6);
  }
  std::uint64_t asked = 0;
  const auto ask = [&] {
    ++asked;
    return file_descriptor{};
  };
  const auto files = *backing_files::open_table(-1, table, counters);
  CHECK_FALSE(files->open({8, 7}, ask).through);
  CHECK(asked == 0);  // it is open already: the way is decided
  for (const std::uint64_t handle : {2U, 4U, 8U}) files->close(handle);
  files->close(8);  // of nothing that is known
  files->open({10, 7}, ask);
  files->open({12, 9}, ask);
  CHECK(asked == 2);
}
