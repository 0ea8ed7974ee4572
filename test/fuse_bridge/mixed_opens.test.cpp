// One inode that is open or mapped in several ways at one time. The kernel gives EIO when it is told of two
// that it does not mix: PASSTHROUGH in fuse_bridge/backing_files.hpp.
#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <span>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t large_bytes = 3 * default_block_bytes + 7;

image_builder image_of_files() {
  image_builder image;
  image.file("large", patterned_bytes(large_bytes, 1));
  return image;
}

fuse_limits some_limits() {
  fuse_limits limits;
  limits.passthrough = GENERATE(true, false);
  limits.passthrough_bytes_min = 100;
  return limits;
}

/// Memory as O_DIRECT takes it.
class whole_pages {
 public:
  explicit whole_pages(std::size_t bytes)
      : bytes_((bytes + page - 1) / page * page), start_(std::aligned_alloc(page, bytes_)) {
    REQUIRE(start_ != nullptr);
  }
  ~whole_pages() { std::free(start_); }
  whole_pages(const whole_pages&) = delete;
  whole_pages& operator=(const whole_pages&) = delete;

  [[nodiscard]] char* data() const { return static_cast<char*>(start_); }
  [[nodiscard]] std::size_t size() const { return bytes_; }

 private:
  std::size_t bytes_;
  void* start_;
};

file_descriptor opened(const std::string& path, int flags) {
  file_descriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  INFO(path << " with flags " << flags << ": errno " << errno);
  REQUIRE(file);
  return file;
}

std::string text_of(const file_descriptor& file) {
  const whole_pages buffer(large_bytes + 1);
  const auto got = pread(file.get(), buffer.data(), buffer.size(), 0);
  INFO("errno " << errno);
  REQUIRE(got >= 0);
  return {buffer.data(), static_cast<std::size_t>(got)};
}

/// One page, which is not the first one.
void write_page(const file_descriptor& file, std::string& expected, char letter) {
  const whole_pages buffer(page);
  std::fill_n(buffer.data(), page, letter);
  REQUIRE(pwrite(file.get(), buffer.data(), page, page) == static_cast<ssize_t>(page));
  expected.replace(page, page, page, letter);
}

/// What is left of a file that was mapped and closed.
class mapping {
 public:
  explicit mapping(const std::string& path) {
    const auto file = opened(path, O_RDONLY);
    at_ = mmap(nullptr, large_bytes, PROT_READ, MAP_SHARED, file.get(), 0);
    REQUIRE(at_ != MAP_FAILED);
  }
  ~mapping() { munmap(at_, large_bytes); }
  mapping(const mapping&) = delete;
  mapping& operator=(const mapping&) = delete;

  [[nodiscard]] std::string text(std::size_t bytes) const { return {static_cast<const char*>(at_), bytes}; }

 private:
  void* at_ = nullptr;
};

/// A writable mount with a file of the image, or with one that has contents of its own.
struct mixed_bench {
  mixed_bench() {
    image.source.deliver_all();
    if (name == "made") std::ofstream(path, std::ios::binary) << expected;
  }
  /// By all ways.
  void check() const {
    CHECK(text_of(opened(path, O_RDONLY)) == expected);
    CHECK(text_of(opened(path, O_RDONLY | O_DIRECT)) == expected);
    CHECK(text_of(opened(path, O_RDWR)) == expected);
  }

  fuse_limits limits = some_limits();
  std::string name = GENERATE(as<std::string>(), "large", "made");
  mounted_image image{image_of_files(), view::writable, limits, mount_mode::fuse};
  std::string path = image.path(name);
  std::string expected = patterned_bytes(large_bytes, 1);
};

}  // namespace

TEST_CASE("a mapping that is left of a closed file shows what others write to it, in whatever way") {
  if (!mounting_is_possible()) return;
  mixed_bench bench;
  auto& expected = bench.expected;
  std::vector<std::function<void()>> changes{
      [&] {
        const auto file = opened(bench.path, O_RDWR);  // promotes it
        REQUIRE(pwrite(file.get(), "new", 3, 5) == 3);
        expected.replace(5, 3, "new");
      },
      [&] { write_page(opened(bench.path, O_RDWR | O_DIRECT), expected, 'd'); },
      [&] {
        REQUIRE(truncate(bench.path.c_str(), 2 * page + 9) == 0);
        expected.resize(2 * page + 9);
      }};
  const auto first = GENERATE(0, 1, 2);
  CAPTURE(bench.name, bench.limits.passthrough, first);
  std::rotate(changes.begin(), changes.begin() + first, changes.end());
  {
    const mapping left(bench.path);
    REQUIRE(left.text(expected.size()) == expected);
    bench.check();
    for (const auto& change : changes) {
      change();
      CHECK(left.text(expected.size()) == expected);
      bench.check();
      CHECK(left.text(expected.size()) == expected);
    }
    const auto emptied = opened(bench.path, O_RDWR | O_TRUNC);
    REQUIRE(pwrite(emptied.get(), "again", 5, 0) == 5);
    expected = "again";
    CHECK(left.text(expected.size()) == expected);
    bench.check();
  }
  bench.check();
  CHECK(read_file(bench.image.upper(bench.name)) == expected);
}

TEST_CASE("a file is open with O_DIRECT and without, and mapped, at one time, whichever comes first") {
  if (!mounting_is_possible()) return;
  mixed_bench bench;
  auto& expected = bench.expected;
  std::vector<int> flags{O_RDONLY, O_RDWR | O_DIRECT, O_RDWR};
  const auto first = GENERATE(0, 1, 2);
  CAPTURE(bench.name, bench.limits.passthrough, first);
  std::rotate(flags.begin(), flags.begin() + first, flags.end());
  std::vector<file_descriptor> files;
  for (const auto each : flags) {
    files.push_back(opened(bench.path, each));
    CHECK(text_of(files.back()) == expected);
    const mapping mapped(bench.path);
    CHECK(mapped.text(expected.size()) == expected);
  }
  for (std::size_t writer = 0; writer < flags.size(); ++writer) {
    if (flags[writer] == O_RDONLY) continue;
    write_page(files[writer], expected, static_cast<char>('a' + writer));
    for (const auto& file : files) CHECK(text_of(file) == expected);
    bench.check();
  }
  // They go one after the other; the last one goes on.
  for (const auto last = files.size() - 1; auto& file : std::span(files).first(last)) {
    file = {};
    bench.check();
    CHECK(text_of(files.back()) == expected);
  }
}

TEST_CASE(
    "contents of an image are read with O_DIRECT and without, and mapped, while and after they arrive") {
  if (!mounting_is_possible()) return;
  const auto how = GENERATE(view::read_only, view::writable);
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::fuse);
  if (how == view::read_only && mode == mount_mode::fuse) return;
  const auto limits = some_limits();
  const int first = GENERATE(O_RDONLY, O_RDONLY | O_DIRECT);
  CAPTURE(to_string(mode), limits.passthrough, first);
  mounted_image image(image_of_files(), how, limits, mode);
  image.source.on_want(fake_source::answer::deliver);
  const auto path = image.path("large");
  const auto expected = patterned_bytes(large_bytes, 1);
  {
    const auto early = opened(path, first);
    const mapping left(path);
    const auto other = opened(path, first ^ O_DIRECT);
    CHECK(text_of(early) == expected);
    image.source.deliver_all();
    CHECK(text_of(other) == expected);
    CHECK(left.text(large_bytes) == expected);
    CHECK(text_of(opened(path, O_RDONLY | O_DIRECT)) == expected);
  }
  const mapping again(path);
  const auto direct = opened(path, O_RDONLY | O_DIRECT);
  CHECK(text_of(direct) == expected);
  CHECK(again.text(large_bytes) == expected);
  CHECK(text_of(opened(path, O_RDONLY)) == expected);
}
