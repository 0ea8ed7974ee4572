#include "test/harness/filesystem/differential.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdlib>

#include "test/fuse_bridge/mounted_image.hpp"

using namespace firstlight;
using namespace firstlight::fstest;
namespace fs = std::filesystem;

namespace {

constexpr timespec image_time{1'600'000'000, 123'456'789};

const std::vector<std::pair<std::string, std::size_t>> image_files{
    {"f0", 0}, {"f1", 100}, {"f2", 16'384}, {"d/f3", 50'001}, {"d/e/f4", 5'000}, {"d/e/g/f5", 40'000}};
const std::vector<std::pair<std::string, std::string>> image_links{
    {"l2", "f2"}, {"d/l2", "f2"}, {"empty/l5", "d/e/g/f5"}};
const std::vector<std::string> image_folders{".", "d", "d/e", "d/e/g", "empty"};

/// Hard links of an image part when overlayfs copies a file up: so only mode fuse gets some.
bool has_links(mount_mode mode) {
  return mode == mount_mode::fuse;
}

image_builder image_of_files(mount_mode mode) {
  image_builder builder;
  std::uint32_t seed = 0;
  for (const auto& [path, bytes] : image_files) builder.file(path, patterned_bytes(bytes, ++seed));
  builder.directory("empty");
  // Without any, mode overlay answers for attributes that there are none (docs/mounting.md).
  builder.file("attributed", "a").xattrs = {{"user.test1", "of the image"}};
  builder.symlink("link", "d/f3");
  if (has_links(mode))
    for (const auto& [name, file] : image_links) builder.hard_link(name, file);
  return builder;
}

/// The same on the disk.
void make_native(const fs::path& root, mount_mode mode) {
  for (const auto& folder : image_folders) fs::create_directories(root / folder);
  std::uint32_t seed = 0;
  for (const auto& [path, bytes] : image_files)
    std::ofstream(root / path, std::ios::binary) << patterned_bytes(bytes, ++seed);
  fs::create_symlink("d/f3", root / "link");
  if (has_links(mode))
    for (const auto& [name, file] : image_links) fs::create_hard_link(root / file, root / name);
  std::ofstream(root / "attributed") << "a";
  REQUIRE(setxattr((root / "attributed").c_str(), "user.test1", "of the image", 12, 0) == 0);
  const timespec times[] = {image_time, image_time};
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (!entry.is_symlink()) fs::permissions(entry.path(), fs::perms(entry.is_directory() ? 0755 : 0644));
    REQUIRE(utimensat(AT_FDCWD, entry.path().c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
  }
  fs::permissions(root, fs::perms(0755));
  REQUIRE(utimensat(AT_FDCWD, root.c_str(), times, 0) == 0);
}

enum class contents { there, arriving };

/// One sequence on a fresh image and a fresh folder, and again on what it left after a remount.
std::optional<difference> run(mount_mode mode, contents when, const std::vector<operation>& operations) {
  const bool overlayfs = mode != mount_mode::fuse;
  const allowed_differences allowed{
      .folder_links = overlayfs, .pipe_times = true, .newer_files = overlayfs, .newer_folders = overlayfs};
  const temporary_folder folder;
  make_native(folder.path(), mode);
  fuse_limits limits;
  limits.copied_at_once_bytes_max = 10'000;  // so that files are promoted both ways
  mounted_image image(image_of_files(mode), view::writable, limits, mode);
  if (when == contents::there)
    image.source.deliver_all();
  else
    image.source.on_want(fake_source::answer::deliver);
  const auto start = std::time(nullptr) - 1;
  {
    subject native(folder.path(), start);
    subject tested(image.root(), start);
    auto found = compare(native, tested, operations, allowed);
    native.let_all_go();
    tested.let_all_go();
    if (found) return found;
  }
  REQUIRE(image.fixture.unmount(image.mount, busy_mount::refuse));
  image.fixture.wait_for_end(image.mount);
  // As in the next life of the daemon.
  image.fixture.stop();
  const auto next = spawn_mounter(image.fixture.system(), image.fixture.parts(limits));
  const auto again = image.fixture.mount(image.request(view::writable), next);
  REQUIRE(again);
  image.mount = again->handle;
  if (when == contents::there) image.source.deliver_all();
  const auto trees = compare_trees(subject(folder.path(), start), subject(image.root(), start), allowed);
  image.fixture.end(image.mount);
  image.fixture.end(next);
  if (trees) return difference{operations.size(), "after a remount: " + *trees};
  return std::nullopt;
}

std::vector<operation> sequence(std::uint64_t seed, std::size_t count) {
  std::vector<std::string> files;
  for (const auto& [path, bytes] : image_files) files.push_back(path);
  files.emplace_back("link");
  files.emplace_back("attributed");
  for (const auto& [name, file] : image_links) files.push_back(name);
  return random_operations(seed, count, files, image_folders);
}

/// $FIRSTLIGHT_SEED repeats one sequence.
std::uint64_t first_seed() {
  const char* set = std::getenv("FIRSTLIGHT_SEED");
  return set != nullptr ? std::strtoull(set, nullptr, 10) : std::random_device{}();
}

void check_like_native(mount_mode mode, contents when, std::size_t operations) {
  constexpr std::size_t each = 500;
  const auto seed = first_seed();
  for (std::size_t i = 0; i * each < operations; ++i) {
    const auto all = sequence(seed + i, each);
    auto found = run(mode, when, all);
    if (!found) continue;
    const auto shortest =
        shrink(all, [&](const std::vector<operation>& part) { return run(mode, when, part).has_value(); });
    found = run(mode, when, shortest);
    FAIL("FIRSTLIGHT_SEED=" << seed + i << " in mode " << to_string(mode) << ":\n"
                            << script_of(shortest) << (found ? found->what : "not seen again"));
  }
}

}  // namespace

TEST_CASE("a mount behaves like a folder on a disk, whatever is done to it") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  const auto when = GENERATE(contents::there, contents::arriving);
  check_like_native(mode, when, 2'500);
}

TEST_CASE("a mount behaves like a folder on a disk, for long", "[.][all]") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse);
  const auto when = GENERATE(contents::there, contents::arriving);
  check_like_native(mode, when, 100'000);
}

TEST_CASE("the comparison finds a difference, and what it takes at least") {
  const temporary_folder one;
  const temporary_folder other;
  make_native(one.path(), mount_mode::fuse);
  make_native(other.path(), mount_mode::fuse);
  const auto fails = [&](const std::vector<operation>& operations) {
    const temporary_folder left;
    const temporary_folder right;
    make_native(left.path(), mount_mode::fuse);
    make_native(right.path(), mount_mode::fuse);
    subject native(left.path(), std::time(nullptr) - 1);
    subject tested(right.path(), std::time(nullptr) - 1);
    // As if chmod was lost of what had been renamed to "new".
    auto wrong = operations;
    bool renamed = false;
    for (auto& what : wrong) {
      renamed = renamed || (what.what == action::rename && what.path == "f1" && what.other == "new");
      if (renamed && what.what == action::change_mode && what.path == "new") what.what = action::look;
    }
    for (std::size_t i = 0; i < operations.size(); ++i)
      if (native.apply(operations[i]) != tested.apply(wrong[i])) return true;
    return compare_trees(native, tested, {}).has_value();
  };
  auto all = sequence(1, 60);
  std::erase_if(all, [](const operation& what) {
    return what.path == "f1" || what.other == "f1" || what.path == "new" || what.other == "new";
  });
  all.insert(all.begin() + 10, {.what = action::rename, .path = "f1", .other = "new"});
  all.insert(all.begin() + 30, {.what = action::change_mode, .path = "new", .mode = 0600});
  REQUIRE(fails(all));
  const auto shortest = shrink(all, fails);
  REQUIRE(shortest.size() == 2);
  CHECK(shortest[0].what == action::rename);
  CHECK(shortest[1].what == action::change_mode);
  CHECK(sequence(7, 50).size() == 50);
  CHECK(script_of(sequence(7, 50)) == script_of(sequence(7, 50)));
}
