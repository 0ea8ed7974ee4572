// What kernel overlayfs has left in a layer goes on in mode fuse, and back.
#include <fcntl.h>
#include <sys/xattr.h>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t file_bytes = 3 * default_block_bytes + 5;

std::string bytes_of_image() {
  return patterned_bytes(file_bytes, 2);
}

image_builder image_of_files() {
  image_builder image;
  for (const auto* name : {"d/moded", "d/owned", "d/timed", "d/attributed", "d/linked"})
    image.file(name, bytes_of_image());
  image.hard_link("d/linked-too", "d/linked");
  image.file("d/empty", "");
  image.file("full/of-image", "text");
  return image;
}

bool has_mark(const mounted_image& image, const char* name, const char* mark) {
  return lgetxattr(image.upper(name).c_str(), mark, nullptr, 0) >= 0;
}

/// On a mount that overlayfs writes: files without contents that do not say where those are.
void change_attributes(const mounted_image& image) {
  const timespec times[] = {{5, 6}, {7, 8}};
  REQUIRE(chmod(image.path("d/moded").c_str(), 0600) == 0);
  REQUIRE(chown(image.path("d/owned").c_str(), 12, 34) == 0);
  REQUIRE(utimensat(AT_FDCWD, image.path("d/timed").c_str(), times, 0) == 0);
  REQUIRE(setxattr(image.path("d/attributed").c_str(), "user.a", "b", 1, 0) == 0);
  REQUIRE(chmod(image.path("d/linked").c_str(), 0600) == 0);
  REQUIRE(chmod(image.path("d/empty").c_str(), 0600) == 0);
  for (const auto* name : {"d/moded", "d/owned", "d/timed", "d/attributed", "d/linked"}) {
    REQUIRE(has_mark(image, name, "trusted.overlay.metacopy"));
    REQUIRE_FALSE(has_mark(image, name, "trusted.overlay.redirect"));
  }
}

void check_attributes(const mounted_image& image) {
  struct stat st {};
  REQUIRE(lstat(image.path("d/moded").c_str(), &st) == 0);
  CHECK(st.st_mode == (S_IFREG | 0600U));
  REQUIRE(lstat(image.path("d/owned").c_str(), &st) == 0);
  CHECK(st.st_uid == 12);
  char value = 0;
  CHECK(getxattr(image.path("d/attributed").c_str(), "user.a", &value, 1) == 1);
}

enum class change : std::uint8_t { writing, cutting, emptying };

/// @returns what the file holds afterwards
std::string change_contents(const std::string& path, change how, std::string bytes) {
  CAPTURE(path);
  if (how == change::cutting) {
    const auto part = bytes.size() / 2;
    CHECK(truncate(path.c_str(), static_cast<off_t>(part)) == 0);
    return bytes.substr(0, part);
  }
  const file_descriptor file(::open(path.c_str(), O_RDWR | (how == change::emptying ? O_TRUNC : 0)));
  CHECK(file);
  if (how == change::emptying) bytes.clear();
  CHECK(pwrite(file.get(), "new", 3, 0) == 3);
  return "new" + (bytes.size() > 3 ? bytes.substr(3) : "");
}

}  // namespace

TEST_CASE("a file of which overlayfs has changed only attributes is written to in mode fuse") {
  if (!mounting_is_possible()) return;
  const auto first = GENERATE(mount_mode::overlay, mount_mode::hybrid);
  const auto how = GENERATE(change::writing, change::cutting, change::emptying);
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 20U);  // promoted by the copier, and at once
  CAPTURE(to_string(first), static_cast<int>(how), limits.copied_at_once_bytes_max);
  mounted_image image(image_of_files(), view::writable, limits, first);
  image.source.deliver_all();
  change_attributes(image);
  image.mount_again(mount_mode::fuse);
  std::map<std::string, std::string> expected;
  for (const auto* name : {"d/moded", "d/owned", "d/timed", "d/attributed", "d/linked"})
    expected[name] = change_contents(image.path(name), how, bytes_of_image());
  expected["d/empty"] = change_contents(image.path("d/empty"), how, "");
  const auto check = [&] {
    for (const auto& [name, bytes] : expected) {
      CAPTURE(name);
      CHECK(read_file(image.path(name)) == bytes);
      CHECK_FALSE(has_mark(image, name.c_str(), "trusted.overlay.metacopy"));
    }
    check_attributes(image);
  };
  check();
  image.mount_again(first);
  check();
  image.mount_again(mount_mode::fuse);
  check();
}

TEST_CASE("a file of which overlayfs has changed only attributes keeps its contents under other names") {
  if (!mounting_is_possible()) return;
  const auto first = GENERATE(mount_mode::overlay, mount_mode::hybrid);
  CAPTURE(to_string(first));
  mounted_image image(image_of_files(), view::writable, {}, first);
  image.source.deliver_all();
  change_attributes(image);
  fs::rename(image.path("d/timed"), image.path("d/renamed"));  // overlayfs says where by name only
  image.mount_again(mount_mode::fuse);
  fs::rename(image.path("d/moded"), image.path("moved"));
  fs::rename(image.path("d/renamed"), image.path("moved-again"));
  fs::create_hard_link(image.path("d/owned"), image.path("a-link"));
  REQUIRE(renameat2(AT_FDCWD, image.path("d/attributed").c_str(), AT_FDCWD,
                    image.path("full/of-image").c_str(), RENAME_EXCHANGE) == 0);
  const auto check = [&] {
    for (const auto* name : {"moved", "moved-again", "a-link", "d/owned", "full/of-image"}) {
      CAPTURE(name);
      CHECK(read_file(image.path(name)) == bytes_of_image());
    }
    CHECK(read_file(image.path("d/attributed")) == "text");
  };
  image.mount_again(mount_mode::fuse);
  check();
  image.mount_again(first);
  check();
}

TEST_CASE("a folder that overlayfs has made shows nothing of the image when it takes a name from there") {
  if (!mounting_is_possible()) return;
  const auto first = GENERATE(mount_mode::overlay, mount_mode::hybrid);
  CAPTURE(to_string(first));
  mounted_image image(image_of_files(), view::writable, {}, first);
  image.source.deliver_all();
  fs::create_directories(image.path("new/inner"));
  fs::remove_all(image.path("full"));
  image.mount_again(mount_mode::fuse);
  fs::rename(image.path("new/inner"), image.path("full"));
  image.mount_again(mount_mode::fuse);
  CHECK(fs::is_empty(image.path("full")));
  image.mount_again(first);
  CHECK(fs::is_empty(image.path("full")));
}
