// What a writable mount asks of the disk below it, by its system calls.
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>

#include <map>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/fuse_bridge/session_bench.hpp"
#include "test/harness/call_watch.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t large_bytes = 20 * default_block_bytes + 5;

image_builder image_of_files() {
  image_builder image;
  image.file("etc/conf", "old configuration");
  image.file("large", patterned_bytes(large_bytes, 1), 04755);
  return image;
}

/// System calls, by number and file. Any thread.
class call_list {
 public:
  void note(long number, const std::string& file) {
    const std::lock_guard lock(mutex_);
    ++calls_[{number, file}];
  }
  [[nodiscard]] std::size_t of(long number, const fs::path& file) const {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find({number, file.string()});
    return found == calls_.end() ? 0 : found->second;
  }
  [[nodiscard]] std::size_t below(const std::vector<long>& numbers, const fs::path& folder) const {
    const std::lock_guard lock(mutex_);
    std::size_t all = 0;
    for (const auto& [call, count] : calls_) {
      const bool counts = std::find(numbers.begin(), numbers.end(), call.first) != numbers.end();
      if (counts && call.second.starts_with(folder.string() + "/")) all += count;
    }
    return all;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<long, std::string>, std::size_t> calls_;
};

void note_unwatched() {
  test::note_skipped("system calls cannot be watched here (seccomp)");
}

}  // namespace

TEST_CASE("fsync of a file and of a folder in mode fuse is one of the disk's, and fails as that does") {
  if (!mounting_is_possible()) return;
  call_list calls;
  std::atomic<int> failure{0};
  const auto judge = [&](const test::watched_call& call) {
    const auto file = call.file(0);
    calls.note(call.number, file);
    return file.ends_with("/upper/made") || file.ends_with("/upper/etc") ? failure.load() : 0;
  };
  const bool watched = test::watch_calls({SYS_fsync, SYS_fdatasync}, judge, [&] {
    mounted_image image(image_of_files(), view::writable, {}, mount_mode::fuse);
    const auto upper = fs::canonical(image.fixture.folder() / "upper");
    const file_descriptor file(::open(image.path("made").c_str(), O_RDWR | O_CREAT, 0600));
    REQUIRE(pwrite(file.get(), "text", 4, 0) == 4);
    fs::create_directory(image.path("etc/new"));
    const file_descriptor folder(::open(image.path("etc").c_str(), O_RDONLY | O_DIRECTORY));
    REQUIRE(folder);
    const std::pair<int, fs::path> opened[] = {{file.get(), upper / "made"}, {folder.get(), upper / "etc"}};
    for (const auto& [descriptor, below] : opened) {
      CAPTURE(below);
      REQUIRE(calls.of(SYS_fsync, below) == 0);
      CHECK(fsync(descriptor) == 0);
      CHECK(calls.of(SYS_fsync, below) == 1);
      CHECK(calls.of(SYS_fdatasync, below) == 0);
      CHECK(fdatasync(descriptor) == 0);
      CHECK(calls.of(SYS_fdatasync, below) == 1);
      failure = ENOSPC;
      CHECK(fsync(descriptor) != 0);
      CHECK(errno == ENOSPC);
      failure = 0;
    }
  });
  if (!watched) note_unwatched();
}

TEST_CASE("a large file of the image is promoted by the kernel, and copied byte by byte where it cannot") {
  if (!mounting_is_possible()) return;
  const bool possible = GENERATE(true, false);
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 30U);  // promoted by the copier, and at once
  const auto kept_bytes = GENERATE(as<std::size_t>{}, large_bytes, large_bytes / 2);
  CAPTURE(possible, limits.copied_at_once_bytes_max, kept_bytes);
  const std::vector<long> writes{SYS_write, SYS_pwrite64, SYS_pwritev};
  call_list calls;
  const auto judge = [&](const test::watched_call& call) {
    const bool clones = call.number == SYS_ioctl;
    const bool copies = call.number == SYS_copy_file_range;
    if (clones && static_cast<std::uint32_t>(call.arguments[1]) != FICLONE) return 0;
    calls.note(call.number, call.file(copies ? 2 : 0));
    if (possible || !(clones || copies)) return 0;
    return clones ? EOPNOTSUPP : EXDEV;
  };
  auto numbers = writes;
  numbers.insert(numbers.end(), {SYS_ioctl, SYS_copy_file_range});
  const bool watched = test::watch_calls(numbers, judge, [&] {
    mounted_image image(image_of_files(), view::writable, limits, mount_mode::fuse);
    image.source.deliver_all();
    const auto upper = fs::canonical(image.fixture.folder() / "upper");
    const auto work = fs::canonical(image.fixture.folder() / "work");
    const bool whole = kept_bytes == large_bytes;
    const file_descriptor file(whole ? ::open(image.path("large").c_str(), O_RDWR | O_CLOEXEC) : -1);
    REQUIRE((whole ? file.get() >= 0
                   : truncate(image.path("large").c_str(), static_cast<off_t>(kept_bytes)) == 0));
    CHECK(calls.below({SYS_ioctl}, work) == (whole ? 1 : 0));
    // After a reflink nothing is left to copy.
    if (!possible || !whole) CHECK(calls.below({SYS_copy_file_range}, work) >= 1);
    CHECK((calls.below(writes, work) == 0) == possible);
    CHECK(calls.below(writes, upper) == 0);
    const auto kept = patterned_bytes(large_bytes, 1).substr(0, kept_bytes);
    CHECK(read_file((upper / "large").string()) == kept);
    CHECK(read_file(image.path("large")) == kept);
  });
  if (!watched) note_unwatched();
}

TEST_CASE("a mount answers while a large file that was removed is copied for who opens it for writing") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copied_at_once_bytes_max = 0;
  std::string nothing;
  std::atomic<int> answered{0};
  const auto judge = [&](const test::watched_call& call) {
    if (static_cast<std::uint32_t>(call.arguments[1]) != FICLONE) return 0;
    // The copier waits, and a name that nobody has asked for needs the tree.
    if (access(nothing.c_str(), F_OK) != 0 && errno == ENOENT) ++answered;
    return 0;
  };
  const bool watched = test::watch_calls({SYS_ioctl}, judge, [&] {
    mounted_image image(image_of_files(), view::writable, limits, mount_mode::fuse);
    image.source.deliver_all();
    nothing = image.path("etc/nothing");
    const file_descriptor reader(::open(image.path("large").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(reader);
    fs::remove(image.path("large"));
    const auto again = "/proc/self/fd/" + std::to_string(reader.get());
    const file_descriptor writer(::open(again.c_str(), O_RDWR | O_CLOEXEC));
    REQUIRE(writer);
    REQUIRE(pwrite(writer.get(), "new", 3, 5) == 3);
    std::string bytes(large_bytes, '\0');
    REQUIRE(pread(reader.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(large_bytes));
    CHECK(bytes == patterned_bytes(large_bytes, 1).replace(5, 3, "new"));
  });
  if (!watched) return note_unwatched();
  CHECK(answered == 1);
}

TEST_CASE("promoted contents are on the disk before they take the place of their file, or never do") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 30U);
  const int failure = GENERATE(0, EIO);
  CAPTURE(limits.copied_at_once_bytes_max, failure);
  std::mutex mutex;
  std::vector<std::string> order;
  const auto judge = [&](const test::watched_call& call) {
    const bool syncs = call.number == SYS_fdatasync;
    // Who is watched has the memory of who watches.
    const auto path_in = [&](std::size_t argument) {
      return std::string(reinterpret_cast<const char*>(call.arguments.at(argument)));
    };
    const fs::path file = syncs ? call.file(0) : path_in(1);
    const bool of_work = file.parent_path().filename() == "firstlight";
    if (!of_work || !(syncs || path_in(3).ends_with("/upper/large"))) return 0;
    const std::lock_guard lock(mutex);
    order.push_back((syncs ? "sync " : "place ") + file.filename().string());
    return syncs ? failure : 0;
  };
  const bool watched = test::watch_calls({SYS_fdatasync, SYS_renameat, SYS_renameat2}, judge, [&] {
    mounted_image image(image_of_files(), view::writable, limits, mount_mode::fuse);
    image.source.deliver_all();
    const file_descriptor file(::open(image.path("large").c_str(), O_RDWR | O_CLOEXEC));
    CHECK(static_cast<bool>(file) == (failure == 0));
    CHECK(read_file(image.path("large")) == patterned_bytes(large_bytes, 1));
  });
  if (!watched) return note_unwatched();
  REQUIRE(order.size() == (failure == 0 ? 3U : 2U));
  CHECK(order[0].starts_with("place "));  // a file with attributes only
  CHECK(order[1].starts_with("sync "));
  if (failure == 0) CHECK(order[2] == "place " + order[1].substr(5));
}

TEST_CASE("copy_file_range in mode fuse copies a part at a time, and all in the end") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copy_range_bytes_max = GENERATE(0U, 10'000U);
  limits.passthrough = false;
  const auto part_bytes_max = std::max<std::uint64_t>(limits.copy_range_bytes_max, 1);
  const auto text = patterned_bytes(limits.copy_range_bytes_max == 0 ? 5 : 45'000, 3);
  CAPTURE(part_bytes_max);
  std::atomic<std::uint64_t> longest{0};
  std::atomic<std::uint64_t> calls{0};
  const auto judge = [&](const test::watched_call& call) {
    if (!call.file(2).ends_with("/upper/to")) return 0;
    ++calls;
    longest = std::max(longest.load(), call.arguments[4]);
    return 0;
  };
  const bool watched = test::watch_calls({SYS_copy_file_range}, judge, [&] {
    mounted_image image(image_of_files(), view::writable, limits, mount_mode::fuse);
    std::ofstream(image.path("from"), std::ios::binary) << text;
    const file_descriptor from(::open(image.path("from").c_str(), O_RDWR | O_CLOEXEC));
    const file_descriptor to(::open(image.path("to").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(from);
    REQUIRE(to);
    std::size_t copied = 0;
    while (copied < text.size()) {
      const auto got = copy_file_range(from.get(), nullptr, to.get(), nullptr, 1U << 30U, 0);
      REQUIRE(got > 0);
      REQUIRE(static_cast<std::uint64_t>(got) <= part_bytes_max);
      copied += static_cast<std::size_t>(got);
    }
    CHECK(copy_file_range(from.get(), nullptr, to.get(), nullptr, 1U << 30U, 0) == 0);
    CHECK(read_file(image.path("to")) == text);
  });
  if (!watched) return note_unwatched();
  CHECK(calls >= text.size() / part_bytes_max);
  CHECK(longest == part_bytes_max);
}

TEST_CASE("a file of the image of which the disk takes not all names stays as it is in the image") {
  if (!marks_are_possible()) return;
  session_bench bench;
  const auto number = bench.number("link");
  const auto judge = [](const test::watched_call&) { return ENOSPC; };
  bool changed = true;
  if (!test::watch_calls({SYS_link, SYS_linkat}, judge, [&] { changed = bench.change_owner(number, 1000); }))
    return note_unwatched();
  CHECK_FALSE(changed);
  CHECK(bench.tree->attributes(number)->st_nlink == 2);
  CHECK(fs::is_empty(bench.folder.path() / "upper"));
  CHECK(fs::is_empty(bench.folder.path() / "work" / "firstlight"));
  REQUIRE(bench.tree->unlink(root_inode, "link"));
  CHECK(bench.number("other link") == number);
  CHECK(bench.tree->attributes(number)->st_nlink == 1);
  CHECK(bench.change_owner(number, 1000));
  bench.start();
  CHECK(bench.tree->attributes(bench.number("other link"))->st_uid == 1000);
}

TEST_CASE("a new file that cannot be opened is not made, and the next of its name is open once") {
  if (!marks_are_possible()) return;
  const session_bench bench;
  const auto make = [&] {
    return bench.tree->make(root_inode, "made", S_IFREG | 0600U, 0, {}, writable_tree::opened::yes);
  };
  const auto judge = [](const test::watched_call& call) {
    return (call.arguments[2] & O_ACCMODE) == O_RDWR ? EMFILE : 0;
  };
  os_result<shown_file> refused;
  if (!test::watch_calls({SYS_openat}, judge, [&] { refused = make(); })) return note_unwatched();
  REQUIRE_FALSE(refused);
  CHECK(refused.error() == EMFILE);
  const auto found = bench.tree->lookup(root_inode, "made");
  REQUIRE_FALSE(found);
  CHECK(found.error() == ENOENT);
  CHECK_FALSE(fs::exists(bench.folder.path() / "upper" / "made"));
  CHECK(fs::is_empty(bench.folder.path() / "work" / "firstlight"));

  const auto made = make();
  REQUIRE(made);
  REQUIRE(pwrite((*bench.tree->file_of(made->number))->get(), "text", 4, 0) == 4);
  bench.tree->release(made->number);
  REQUIRE(bench.tree->unlink(root_inode, "made"));
  CHECK(bench.kept() == 0);  // nobody has it open any more
}
