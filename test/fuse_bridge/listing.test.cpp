// Folders of a mount in mode fuse that change while they are listed.
#include <dirent.h>
#include <sys/stat.h>

#include <set>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t entries = 2'000;  // more than the kernel asks for at once

std::string entry_name(std::size_t number) {
  return "entry" + std::to_string(10'000 + number);
}

image_builder image_with_many() {
  image_builder image;
  for (std::size_t i = 0; i < entries; ++i) image.file("many/" + entry_name(i), "");
  image.file("other", "other");
  return image;
}

ino_t number_of(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

using open_folder = std::unique_ptr<DIR, int (*)(DIR*)>;

}  // namespace

TEST_CASE("a name that is moved or taken by another file while its folder is listed stays so") {
  if (!mounting_is_possible()) return;
  mounted_image image(image_with_many(), view::writable, {}, mount_mode::fuse);
  image.source.deliver_all();
  const auto moved = image.path("many/" + entry_name(entries - 1));
  const auto taken = image.path("many/" + entry_name(entries - 2));
  const auto other = number_of(image.path("other"));
  REQUIRE(other != 0);
  const open_folder folder(opendir(image.path("many").c_str()), closedir);
  REQUIRE(folder != nullptr);
  REQUIRE(readdir(folder.get()) != nullptr);
  fs::rename(moved, image.path("moved"));
  fs::rename(image.path("other"), taken);
  std::set<std::string> listed;
  while (const auto* entry = readdir(folder.get())) {
    CHECK(listed.insert(entry->d_name).second);
    // Who looks at what is listed makes the kernel ask for attributes with the names that come next.
    static_cast<void>(number_of(image.path("many/" + std::string(entry->d_name))));
  }
  CHECK(listed.size() >= entries - 1);
  CHECK(listed.contains(entry_name(entries - 2)));
  CHECK(number_of(moved) == 0);
  CHECK(number_of(image.path("moved")) != 0);
  CHECK(number_of(taken) == other);
  CHECK(read_file(taken) == "other");
}
