#include <fcntl.h>
#include <sys/mman.h>

#include <csignal>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t block = default_block_bytes;

image_builder one_program() {
  image_builder image;
  image.file("program", patterned_bytes(8 * block, 1), 0755);
  return image;
}

int read_byte(const char* path, off_t offset) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  char byte = 0;
  return pread(file, &byte, 1, offset) == 1 ? 0 : errno;
}

int touch_page(const char* path, std::size_t offset, int advice) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  void* const map = mmap(nullptr, 8 * block, PROT_READ, MAP_PRIVATE, file, 0);
  madvise(map, 8 * block, advice);
  return static_cast<const volatile char*>(map)[offset] == 0 ? 0 : 1;
}

int execute(const char* path) {
  char* const arguments[] = {const_cast<char*>(path), nullptr};
  char* const environment[] = {nullptr};
  execve(path, arguments, environment);
  return errno;
}

/// Starts a reader that waits, kills it, and expects its end although no block ever arrives.
template <class Body>
void check_killed_at_once(Body body) {
  mounted_image image(one_program());
  const auto path = image.path("program");
  child_process reader([&] { return body(path.c_str()); });
  REQUIRE(image.source.wait_for_wants(1));
  const auto before = std::chrono::steady_clock::now();
  reader.signal(SIGKILL);
  std::optional<int> status;
  REQUIRE(eventually([&] { return (status = reader.ended()).has_value(); }));
  CHECK(WIFSIGNALED(*status));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(2));
}

}  // namespace

TEST_CASE("a killed reader of a missing block ends at once") {
  if (!mounting_is_possible()) return;
  SECTION("in read(2)") {
    check_killed_at_once([](const char* path) { return read_byte(path, 0); });
  }
  SECTION("in read(2), where the read-ahead touches two blocks") {
    check_killed_at_once([](const char* path) { return read_byte(path, block - 1); });
  }
  SECTION("in a page fault") {
    check_killed_at_once([](const char* path) { return touch_page(path, 4 * block, MADV_NORMAL); });
  }
  SECTION("in a page fault without read-ahead") {
    check_killed_at_once([](const char* path) { return touch_page(path, 4 * block, MADV_RANDOM); });
  }
  SECTION("in execve(2)") {
    check_killed_at_once(execute);
  }
}

TEST_CASE("a reader that a harmless signal reaches goes on waiting and gets its bytes") {
  if (!mounting_is_possible()) return;
  mounted_image image(one_program());
  const auto path = image.path("program");
  child_process reader([&] {
    struct sigaction ignore_it {};
    ignore_it.sa_handler = [](int) {};
    sigaction(SIGUSR1, &ignore_it, nullptr);
    touch_page(path.c_str(), 4 * block, MADV_RANDOM);
    return 42;
  });
  REQUIRE(image.source.wait_for_wants(1));
  for (int i = 0; i < 3; ++i) reader.signal(SIGUSR1);
  CHECK_FALSE(reader.ended());
  SECTION("until the block arrives") {
    image.source.deliver_content(0);
    std::optional<int> status;
    REQUIRE(eventually([&] { return (status = reader.ended()).has_value(); }));
    CHECK(WIFEXITED(*status));
    CHECK(WEXITSTATUS(*status) == 42);
  }
  SECTION("and can still be killed") {
    reader.signal(SIGKILL);
    CHECK(eventually([&] { return reader.ended().has_value(); }));
    CHECK(eventually([&] { return image.status().waiting_now == 0; }));
  }
}
