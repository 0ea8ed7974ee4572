#include "test/harness/filesystem/differential.hpp"

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/filesystem/varied_tree.hpp"

using namespace firstlight;
using namespace firstlight::fstest;
namespace fs = std::filesystem;

namespace {

/// Hard links of an image part when overlayfs copies a file up: so only mode fuse gets some.
varied_tree tree_for(mount_mode mode) {
  return make_varied_tree(1, mode == mount_mode::fuse ? hard_links::some : hard_links::none);
}

image_builder image_of(const varied_tree& tree) {
  image_builder builder;
  for (const auto& folder : tree.folders)
    if (folder != ".") builder.directory(folder);
  for (const auto& [path, bytes] : tree.files) {
    auto& file = builder.file(path, bytes);
    // Without any, mode overlay answers for attributes that there are none (docs/mounting.md).
    if (path == tree.attributed) file.xattrs = {{tree.xattr.path, tree.xattr.of}};
  }
  for (const auto& [path, target] : tree.symlinks) builder.symlink(path, target);
  for (const auto& [path, file] : tree.hard_links) builder.hard_link(path, file);
  return builder;
}

enum class contents { there, arriving };

/// One sequence on a fresh image and a fresh folder, and again on what it left after a remount.
std::optional<difference> run(mount_mode mode, contents when, const std::vector<operation>& operations) {
  const bool overlayfs = mode != mount_mode::fuse;
  const allowed_differences allowed{
      .folder_links = overlayfs, .pipe_times = true, .newer_files = overlayfs, .newer_folders = overlayfs};
  const temporary_folder folder;
  const auto tree = tree_for(mode);
  write_tree(tree, folder.path());
  fuse_limits limits;
  limits.copied_at_once_bytes_max = 10'000;  // so that files are promoted both ways
  mounted_image image(image_of(tree), view::writable, limits, mode);
  if (when == contents::there)
    image.source.deliver_all();
  else
    image.source.on_want(fake_source::answer::deliver);
  const auto start = std::time(nullptr) - 1;
  {
    subject native(folder.path(), start);
    subject tested(image.root(), start);
    auto found = when == contents::there ? compare(native, tested, operations, allowed,
                                                   /*contents_interval=*/25, image_contents::there)
                                         : compare(native, tested, operations, allowed);
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

void check_like_native(mount_mode mode, contents when, std::size_t operations) {
  constexpr std::size_t each = 500;
  const auto seed = seed_of_test();
  for (std::size_t i = 0; i * each < operations; ++i) {
    const auto all = varied_operations(seed + i, each);
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
  const auto tree = tree_for(mount_mode::fuse);
  const auto fails = [&](const std::vector<operation>& operations) {
    const temporary_folder left;
    const temporary_folder right;
    write_tree(tree, left.path());
    write_tree(tree, right.path());
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
  auto all = varied_operations(1, 60);
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
  CHECK(varied_operations(7, 50).size() == 50);
  CHECK(script_of(varied_operations(7, 50)) == script_of(varied_operations(7, 50)));
}
