#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <random>

#include "storage/content_name.hpp"
#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t block = default_block_bytes;

/// What a program that starts on the mount reads, as it was delivered to it.
class hybrid_image : public mounted_image {
 public:
  explicit hybrid_image(const image_builder& builder, view how = view::writable)
      : mounted_image(builder, how, {}, mount_mode::hybrid) {}

  /// Requests that reached the content mount.
  [[nodiscard]] std::uint64_t requests() { return status().requests; }
};

image_builder numbered_files(std::uint32_t count) {
  image_builder builder;
  for (std::uint32_t i = 0; i < count; ++i)
    builder.file("many/" + std::to_string(i), patterned_bytes(100 + i, i));
  return builder;
}

/// This process may hold so many open files meanwhile.
class more_descriptors {
 public:
  explicit more_descriptors(rlim_t count) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit more{std::min(std::max(count, before_.rlim_cur), before_.rlim_max), before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &more) == 0);
  }
  ~more_descriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  more_descriptors(const more_descriptors&) = delete;
  more_descriptors& operator=(const more_descriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("what arrived before it is opened never reaches FUSE") {
  if (!mounting_is_possible()) return;
  hybrid_image image(numbered_files(100));
  image.source.deliver_all();
  for (std::uint32_t i = 0; i < 100; ++i)
    CHECK(read_file(image.path("many/" + std::to_string(i))) == patterned_bytes(100 + i, i));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(image.root())) files += entry.is_regular_file();
  CHECK(files == 100);
  CHECK(image.requests() == 0);
}

TEST_CASE("metadata is there before any content, and asks FUSE for nothing") {
  if (!mounting_is_possible()) return;
  hybrid_image image(numbered_files(10));
  for (std::uint32_t i = 0; i < 10; ++i)
    CHECK(fs::file_size(image.path("many/" + std::to_string(i))) == 100 + i);
  CHECK(image.requests() == 0);
  CHECK(image.source.wanted().empty());
}

TEST_CASE("a file that arrives while it is open is read to its end") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(30 * block + 17, 1);
  image_builder builder;
  builder.file("file", bytes);
  hybrid_image image(builder);
  const file_descriptor file(open(image.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file);
  auto reader = std::async(std::launch::async, [&] { return read_file(image.path("file")); });
  REQUIRE(image.source.wait_for_wants(1));
  image.source.deliver_all();
  CHECK(reader.get() == bytes);
  std::string end(17, '\0');
  CHECK(pread(file.get(), end.data(), end.size(), 30 * block) == 17);
  CHECK(end == bytes.substr(30 * block));
}

TEST_CASE("a memory map of an arriving file shows its blocks as they come") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(4 * block, 1);
  image_builder builder;
  builder.file("file", bytes);
  hybrid_image image(builder);
  image.source.on_want(fake_source::answer::deliver);
  const file_descriptor file(open(image.path("file").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(file);
  void* const map = mmap(nullptr, bytes.size(), PROT_READ, MAP_PRIVATE, file.get(), 0);
  REQUIRE(map != MAP_FAILED);
  const std::string_view shown(static_cast<const char*>(map), bytes.size());
  CHECK(shown.substr(2 * block, 100) == std::string_view(bytes).substr(2 * block, 100));
  CHECK(shown == bytes);
  munmap(map, bytes.size());
}

TEST_CASE("a program runs while it arrives") {
  if (!mounting_is_possible()) return;
  const auto program = read_file("/bin/true");
  REQUIRE(program);
  image_builder builder;
  builder.file("bin/true", *program, 0755);
  hybrid_image image(builder);
  image.source.on_want(fake_source::answer::deliver);
  CHECK(std::system(image.path("bin/true").c_str()) == 0);
  CHECK(image.status().waits > 0);
}

TEST_CASE("1,000 files that are opened while they arrive all end with their bytes") {
  if (!mounting_is_possible()) return;
  constexpr std::uint32_t count = 1000;
  constexpr std::uint32_t threads = 8;
  const more_descriptors enough(4 * count);
  hybrid_image image(numbered_files(count));
  std::vector<file_descriptor> opened;
  for (std::uint32_t i = 0; i < count; ++i)
    opened.emplace_back(open(image.path("many/" + std::to_string(i)).c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(
      std::all_of(opened.begin(), opened.end(), [](const auto& file) { return static_cast<bool>(file); }));
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  std::vector<std::thread> readers;
  std::atomic<std::uint32_t> right{0};
  for (std::uint32_t first = 0; first < threads; ++first)
    readers.emplace_back([&, first] {
      std::string bytes(2 * count, '\0');
      for (std::uint32_t at = first; at < count; at += threads) {
        const auto i = order[at];
        const auto got = pread(opened[i].get(), bytes.data(), bytes.size(), 0);
        if (std::string_view(bytes).substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0))) ==
            patterned_bytes(100 + i, i))
          ++right;
      }
    });
  REQUIRE(image.source.wait_for_wants(threads));
  CHECK(right == 0);
  for (std::uint32_t content = 0; content < count; ++content) image.source.deliver_content(content);
  for (auto& reader : readers) reader.join();
  CHECK(right == count);
  CHECK(image.status().waits >= threads);
}

TEST_CASE("an image is mounted before its content ids are known, and reaches FUSE no more once they are") {
  if (!mounting_is_possible()) return;
  constexpr std::uint32_t count = 3000;
  image_builder builder = numbered_files(count);
  const auto [built, ids] = builder.build_tree();
  mount_fixture fixture;
  fake_source source(fixture.system(), fixture.store(), built);
  mount_request request{"image", built.toc,         source.handle(), fixture.folder() / "root",
                        {},      mount_mode::hybrid};
  request.record.image.toc = {sha256(built.toc->message())};
  fs::create_directory(request.target);
  const auto made = fixture.mount(request);
  REQUIRE(made);
  const auto file = [&](std::uint32_t i) { return (request.target / "many" / std::to_string(i)).string(); };
  CHECK(fs::file_size(file(7)) == 107);
  auto reader = std::async(std::launch::async, [&] { return read_file(file(7)); });
  REQUIRE(source.wait_for_wants(1));
  source.learn(ids);
  source.deliver_all();
  CHECK(reader.get() == patterned_bytes(107, 7));
  // What was looked up early stays on FUSE; the rest is native from some moment on.
  std::uint32_t next = 10;
  REQUIRE(eventually([&] {
    const auto before = fixture.status(made->handle).requests;
    CHECK(read_file(file(next)) == patterned_bytes(100 + next, next));
    return ++next == count || fixture.status(made->handle).requests == before;
  }));
  REQUIRE(next < count);
  const auto before = fixture.status(made->handle).requests;
  for (auto i = next; i < std::min(next + 20, count); ++i)
    CHECK(read_file(file(i)) == patterned_bytes(100 + i, i));
  CHECK(fixture.status(made->handle).requests == before);
  fixture.end(made->handle);
}

TEST_CASE("two mounts share what arrives, and one goes on when the other is taken down") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(3 * block, 1);
  image_builder builder;
  builder.file("file", bytes);
  hybrid_image first(builder);
  auto request = first.request(view::writable);
  request.name = "second";
  request.target = first.fixture.folder() / "second";
  request.writable = writable_layer{first.fixture.folder() / "upper2", first.fixture.folder() / "work2"};
  fs::create_directory(request.target);
  const auto second = first.fixture.mount(request);
  REQUIRE(second);
  // The wait is the first mount's: it has joined first.
  auto reader = std::async(std::launch::async, [&] { return read_file(request.target / "file"); });
  REQUIRE(first.source.wait_for_wants(1));
  REQUIRE(first.fixture.unmount(first.mount, busy_mount::refuse));
  first.fixture.wait_for_end(first.mount);
  first.source.deliver_all();
  CHECK(reader.get() == bytes);
  first.fixture.end(second->handle);
}

TEST_CASE("a hybrid mount in use is not taken down unless it may be detached, and ends with its last file") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(3 * block, 1);
  image_builder builder;
  builder.file("file", bytes);
  hybrid_image image(builder, GENERATE(view::writable, view::read_only));
  {
    const file_descriptor file(open(image.path("file").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(file);
    const auto refused = image.fixture.unmount(image.mount, busy_mount::refuse);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::busy);
    REQUIRE(image.fixture.unmount(image.mount, busy_mount::detach));
    CHECK(fs::is_empty(image.root()));
    image.source.deliver_all();
    std::string all(bytes.size(), '\0');
    CHECK(pread(file.get(), all.data(), all.size(), 0) == static_cast<ssize_t>(all.size()));
    CHECK(all == bytes);
  }
  image.fixture.wait_for_end(image.mount);
  CHECK(fs::is_empty(image.fixture.mounts_folder()));
}

TEST_CASE("a delivery that was cancelled fails its readers, and a used hybrid mount goes on") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("first", patterned_bytes(block, 1));
  builder.file("second", patterned_bytes(block, 2));
  hybrid_image image(builder);
  auto reader = std::async(std::launch::async, [&] { return read_file(image.path("first")); });
  REQUIRE(image.source.wait_for_wants(1));
  image.source.fail(image.source.wanted().front(), {errc::cancelled, "the link was closed"});
  CHECK_THROWS(reader.get());  // EIO
  image.source.deliver_all();
  CHECK(read_file(image.path("second")) == patterned_bytes(block, 2));
}

TEST_CASE("a hybrid mount that a user takes away by hand ends") {
  if (!mounting_is_possible()) return;
  hybrid_image image(numbered_files(3));
  REQUIRE(umount(image.root().c_str()) == 0);
  image.fixture.wait_for_end(image.mount);
  CHECK(fs::is_empty(image.fixture.mounts_folder()));
}

TEST_CASE("what has arrived stays readable on a used mount whose daemon has ended") {
  if (!mounting_is_possible()) return;
  const auto bytes = patterned_bytes(5 * block, 1);
  image_builder builder;
  builder.file("early", bytes);
  builder.file("late", "late");
  const auto built = builder.build();
  temporary_folder root;
  file_descriptor used;
  {
    mount_fixture fixture;
    fake_source source(fixture.system(), fixture.store(), built);
    mount_request request{"image", built.toc, source.handle(), root.path(), {}, mount_mode::hybrid};
    const auto made = fixture.mount(request);
    REQUIRE(made);
    for (std::uint32_t content = 0; content < built.bytes.size(); ++content)
      if (built.bytes[content] == bytes) source.deliver_content(content);
    used = file_descriptor(open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(used);
    fixture.end(made->handle);
    CHECK(fs::exists(root.path() / "early"));  // in use: it stays
    fixture.stop();
    CHECK(read_file(root.path() / "early") == bytes);
    CHECK_FALSE(read_file(root.path() / "late"));
    used = {};
    CHECK(umount(root.path().c_str()) == 0);
    CHECK(umount2((fixture.folder() / "content-mount").c_str(), MNT_DETACH) == 0);
  }
}

TEST_CASE("an image that EROFS cannot hold is mounted in another mode") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", "file").xattrs = {
      {"trusted.overlay." + std::string(239, 'x'), "too long when escaped"}};
  const auto built = builder.build();
  mount_fixture fixture;
  const auto root = fixture.folder() / "root";
  fs::create_directory(root);
  const auto refused = fixture.mount({"image", built.toc, {}, root, {}, mount_mode::hybrid});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::limit_exceeded);
  const auto made = fixture.mount({"image", built.toc, {}, root, {}, mount_mode::automatic});
  REQUIRE(made);
  CHECK(made->mode == mount_mode::overlay);
  fixture.end(made->handle);
}

TEST_CASE("in mode auto the best way is taken, and a worse one is explained") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  builder.file("file", "file");
  const auto built = builder.build();
  mount_fixture fixture;
  const auto root = fixture.folder() / "root";
  fs::create_directory(root);
  SECTION("hybrid") {
    const auto made = fixture.mount({"image", built.toc, {}, root, {}, mount_mode::automatic});
    REQUIRE(made);
    CHECK(made->mode == mount_mode::hybrid);
    CHECK(made->fallback.empty());
    fixture.end(made->handle);
  }
  SECTION("overlay, where EROFS images cannot lie on a disk") {
    auto parts = fixture.parts({});
    temporary_folder memory("/dev/shm");
    parts.hybrid->images = memory.path();
    const auto other = spawn_mounter(fixture.system(), parts);
    const auto made = fixture.mount({"image", built.toc, {}, root, {}, mount_mode::automatic}, other);
    REQUIRE(made);
    CHECK(made->mode == mount_mode::overlay);
    CHECK(made->fallback.find("not hybrid: ") == 0);
    const auto refused = fixture.mount({"other", built.toc, {}, root, {}, mount_mode::hybrid}, other);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::unsupported);
    fixture.end(made->handle);
    fixture.end(other);
  }
}
