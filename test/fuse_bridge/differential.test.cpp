#include "test/harness/filesystem/differential.hpp"

#include <algorithm>
#include <span>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/harness/filesystem/varied_tree.hpp"

using namespace firstlight;
using namespace firstlight::fstest;
namespace fs = std::filesystem;

namespace {

/// Modes that a mount has one after the other.
using mode_sequence = std::vector<mount_mode>;

bool overlayfs_writes(mount_mode mode) {
  return mode != mount_mode::fuse;
}

/// Hard links of an image part when overlayfs copies a file up: so only mode fuse gets some.
varied_tree tree_for(const mode_sequence& modes) {
  const bool parts = std::any_of(modes.begin(), modes.end(), overlayfs_writes);
  return make_varied_tree(1, parts ? hard_links::none : hard_links::some);
}

/// In the last of these modes. What overlayfs has made look newer stays so.
allowed_differences allowed_after(std::span<const mount_mode> modes) {
  const bool newer = std::any_of(modes.begin(), modes.end(), overlayfs_writes);
  return {.folder_links = overlayfs_writes(modes.back()),
          .pipe_times = true,
          .newer_files = newer,
          .newer_folders = newer};
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

struct mount_shape {
  mode_sequence modes;
  contents when = contents::there;
  bool passthrough = true;
};

std::string to_text(const mount_shape& shape) {
  std::string text = shape.when == contents::there ? "contents there" : "contents arriving";
  if (!shape.passthrough) text += ", no passthrough";
  for (const auto mode : shape.modes) text.append(", ").append(to_string(mode));
  return text;
}

/// A fresh image, mounted, and a fresh folder that is to look like it.
class compared_mount {
 public:
  explicit compared_mount(const mount_shape& shape)
      : shape_(shape),
        tree_(tree_for(shape.modes)),
        image_(image_of(tree_), view::writable, limits(), shape.modes.front()) {
    write_tree(tree_, folder_.path());
    if (shape.when == contents::arriving) image_.source.on_want(fake_source::answer::deliver);
    deliver();
  }
  ~compared_mount() {
    image_.fixture.end(image_.mount);
    if (next_) image_.fixture.end(next_);
  }
  compared_mount(const compared_mount&) = delete;
  compared_mount& operator=(const compared_mount&) = delete;

  /// In the mode of this place in the sequence.
  std::optional<difference> apply(const std::vector<operation>& operations, std::size_t place) {
    subject native(folder_.path(), start_);
    subject tested(image_.root(), start_);
    auto found = shape_.when == contents::there ? compare(native, tested, operations, allowed(place),
                                                          /*contents_interval=*/25, image_contents::there)
                                                : compare(native, tested, operations, allowed(place));
    native.let_all_go();
    tested.let_all_go();
    return found;
  }

  /// As in the next life of the daemon. @returns what differs then
  std::optional<std::string> mount_again(std::size_t place) {
    REQUIRE(image_.fixture.unmount(image_.mount, busy_mount::refuse));
    image_.fixture.wait_for_end(image_.mount);
    next_ ? image_.fixture.end(next_) : image_.fixture.stop();
    next_ = spawn_mounter(image_.fixture.system(), image_.fixture.parts(limits()));
    image_.mode = shape_.modes.at(place);
    const auto again = image_.fixture.mount(image_.request(view::writable), next_);
    REQUIRE(again);
    REQUIRE(again->mode == image_.mode);
    image_.mount = again->handle;
    deliver();
    return compare_trees(subject(folder_.path(), start_), subject(image_.root(), start_), allowed(place));
  }

 private:
  [[nodiscard]] fuse_limits limits() const {
    fuse_limits limits;
    limits.copied_at_once_bytes_max = 10'000;  // so that files are promoted both ways
    limits.passthrough = shape_.passthrough;
    return limits;
  }
  [[nodiscard]] allowed_differences allowed(std::size_t place) const {
    return allowed_after(std::span(shape_.modes).first(place + 1));
  }
  void deliver() {
    if (shape_.when == contents::there) image_.source.deliver_all();
  }

  mount_shape shape_;
  varied_tree tree_;
  temporary_folder folder_;
  mounted_image image_;
  mounter next_;
  std::int64_t start_ = std::time(nullptr) - 1;
};

/// The operations in equal parts, one in each mode but the last, which only looks at what they have left.
std::optional<difference> run(const mount_shape& shape, const std::vector<operation>& operations) {
  compared_mount all(shape);
  const auto parts = shape.modes.size() - 1;
  const auto at = [&](std::size_t part) {
    return operations.begin() + static_cast<std::ptrdiff_t>(operations.size() * part / parts);
  };
  for (std::size_t part = 0; part < parts; ++part) {
    const auto before = static_cast<std::size_t>(at(part) - operations.begin());
    if (auto found = all.apply({at(part), at(part + 1)}, part))
      return difference{before + found->step, found->what};
    if (const auto trees = all.mount_again(part + 1))
      return difference{before, "after remount " + std::to_string(part + 1) + ": " + *trees};
  }
  return std::nullopt;
}

void check_sequence(std::uint64_t seed, const mount_shape& shape, std::size_t operations) {
  const auto all = varied_operations(seed, operations);
  auto found = run(shape, all);
  if (!found) return;
  const auto shortest =
      shrink(all, [&](const std::vector<operation>& part) { return run(shape, part).has_value(); });
  found = run(shape, shortest);
  FAIL("FIRSTLIGHT_SEED=" << seed << ", " << to_text(shape) << ":\n"
                          << script_of(shortest) << (found ? found->what : "not seen again"));
}

void check_like_native(const mount_shape& shape, std::size_t operations) {
  constexpr std::size_t each = 500;
  const auto seed = seed_of_test();
  for (std::size_t i = 0; i * each < operations; ++i) check_sequence(seed + i, shape, each);
}

mount_shape any_shape() {
  const auto [mode, passthrough] =
      GENERATE(Catch::Generators::table<mount_mode, bool>({{mount_mode::hybrid, true},
                                                           {mount_mode::overlay, true},
                                                           {mount_mode::fuse, true},
                                                           {mount_mode::fuse, false}}));
  return {.modes = {mode, mode},
          .when = GENERATE(contents::there, contents::arriving),
          .passthrough = passthrough};
}

/// Each time in other modes on the same layer.
void check_across_modes(contents when, std::size_t sequences) {
  constexpr std::size_t remounts = 4;
  constexpr std::size_t each = 300;
  const auto seed = seed_of_test();
  for (std::size_t i = 0; i < sequences; ++i) {
    std::mt19937_64 random(seed + i);
    mount_shape shape{.modes = {}, .when = when};
    while (shape.modes.size() <= remounts)
      shape.modes.push_back(
          std::array{mount_mode::hybrid, mount_mode::overlay, mount_mode::fuse}.at(random() % 3));
    check_sequence(seed + i, shape, each);
  }
}

}  // namespace

TEST_CASE("a mount behaves like a folder on a disk, whatever is done to it") {
  if (!mounting_is_possible()) return;
  const auto shape = any_shape();
  check_like_native(shape, shape.passthrough ? 2'500 : 500);
}

TEST_CASE("a mount behaves like a folder on a disk, for long", "[.][all]") {
  if (!mounting_is_possible()) return;
  const auto shape = any_shape();
  check_like_native(shape, shape.passthrough ? 100'000 : 20'000);
}

TEST_CASE("a layer behaves like a folder on a disk while its mount changes modes") {
  if (!mounting_is_possible()) return;
  check_across_modes(GENERATE(contents::there, contents::arriving), 1);
}

TEST_CASE("a layer behaves like a folder on a disk while its mount changes modes, for long", "[.][all]") {
  if (!mounting_is_possible()) return;
  check_across_modes(GENERATE(contents::there, contents::arriving), 200);
}

TEST_CASE("the comparison finds a difference, and what it takes at least") {
  const auto tree = tree_for({mount_mode::fuse});
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
