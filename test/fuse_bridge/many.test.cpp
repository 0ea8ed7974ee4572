#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <random>
#include <set>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/child_process.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t block = default_block_bytes;
constexpr int waiters = 10'000;
constexpr int files = 100;

int wait_in_many_threads(const std::string& root) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 32 * 1024);
  struct reader {
    int file;
    off_t offset;
  };
  static std::vector<reader> readers;
  readers.reserve(waiters);
  for (int file = 0; file < files; ++file) {
    const int opened = open((root + "/file" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < waiters / files; ++i)
      readers.push_back({opened, static_cast<off_t>(i) * off_t{block}});
  }
  for (auto& one : readers) {
    pthread_t thread;
    const auto body = [](void* argument) -> void* {
      const auto& self = *static_cast<reader*>(argument);
      char byte = 0;
      if (pread(self.file, &byte, 1, self.offset) != 1) _exit(2);
      return nullptr;
    };
    if (pthread_create(&thread, &small, body, &one) != 0) return 1;
  }
  ::pause();
  return 0;
}

}  // namespace

TEST_CASE("10,000 parallel waits do not stall another file, and end when their blocks arrive") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::hybrid);
  image_builder builder;
  for (int i = 0; i < files; ++i)
    builder.file("file" + std::to_string(i), std::string(waiters / files * block, 'w'));
  builder.file("other", patterned_bytes(10 * block, 1));
  mounted_image image(builder, view::read_only, {}, mode);
  const auto root = image.root().string();
  child_process crowd([&] { return wait_in_many_threads(root); });
  REQUIRE(eventually([&] { return image.status().waiting_now >= waiters || crowd.ended(); }));
  REQUIRE(image.status().waiting_now == waiters);
  image.source.deliver_content(files);
  const auto before = std::chrono::steady_clock::now();
  CHECK(read_file(image.path("other")) == patterned_bytes(10 * block, 1));
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(1));
  SECTION("arrival") {
    for (std::uint32_t i = 0; i < files; ++i) image.source.deliver_content(i);
    CHECK(eventually([&] { return image.status().waiting_now == 0; }));
    CHECK_FALSE(crowd.ended());
    CHECK(image.status().read_errors == 0);
  }
  SECTION("death") {
    crowd.signal(SIGKILL);
    CHECK(eventually([&] { return crowd.ended().has_value(); }));
  }
}

TEST_CASE("a directory of 20,000 entries lists each once, from any offset in any order") {
  if (!mounting_is_possible()) return;
  image_builder builder;
  for (int i = 0; i < 20'000; ++i) builder.file("d/entry" + std::to_string(i), "");
  mounted_image image(builder);
  DIR* const directory = opendir(image.path("d").c_str());
  REQUIRE(directory != nullptr);
  std::set<std::string> names;
  std::vector<std::pair<long, std::string>> places;
  for (long at = telldir(directory); const auto* entry = readdir(directory); at = telldir(directory)) {
    CHECK(names.insert(entry->d_name).second);
    places.emplace_back(at, entry->d_name);
  }
  CHECK(names.size() == 20'002);
  std::shuffle(places.begin(), places.end(), std::mt19937(1));
  places.resize(500);
  for (const auto& [offset, name] : places) {
    seekdir(directory, offset);
    const auto* entry = readdir(directory);
    REQUIRE(entry != nullptr);
    CHECK(name == entry->d_name);
  }
  closedir(directory);
}
