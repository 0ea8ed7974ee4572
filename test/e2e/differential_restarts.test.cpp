// The comparison of test/fuse_bridge/differential.test.cpp with real daemons, which are stopped and killed.
#include <variant>

#include "test/e2e/shell_image.hpp"
#include "test/harness/filesystem/differential.hpp"
#include "test/harness/filesystem/varied_tree.hpp"

namespace firstlight {
namespace {

using namespace fstest;

enum class contents : std::uint8_t { there, arriving };

/// What comes between operations. None is under way then.
enum class outage : std::uint8_t {
  stop,                 ///< SIGTERM; the mount is used and stays
  kill,                 ///< SIGKILL
  remount,              ///< unmounted and mounted again under its name
  restart_and_remount,  ///< the same with SIGTERM and a start in between
  count_
};
constexpr std::array outage_names{"the node was stopped and started", "the node was killed and started",
                                  "it was unmounted and mounted again",
                                  "it was unmounted, the node restarted, and it was mounted again"};
static_assert(outage_names.size() == static_cast<std::size_t>(outage::count_));

struct comparison_shape {
  std::string mode;
  std::string passthrough;  ///< "true" or "false"
  contents when = contents::there;
  std::size_t operations = 0;          ///< of each of the sequences
  std::size_t sequences = 1;           ///< each on a new mount
  std::size_t operations_between = 0;  ///< two outages, at most
};

/// What is done to a mount, one after the other.
using step = std::variant<operation, outage>;

/// Operations with outages in between, the last one at the end.
std::vector<step> steps_of(std::uint64_t seed, const comparison_shape& shape) {
  std::mt19937_64 random(seed);
  const auto operations = varied_operations(seed, shape.operations);
  std::vector<step> steps;
  for (std::size_t at = 0; at < operations.size();) {
    const auto first = operations.begin() + static_cast<std::ptrdiff_t>(at);
    const auto count = std::min(1 + random() % shape.operations_between, operations.size() - at);
    steps.insert(steps.end(), first, first + static_cast<std::ptrdiff_t>(count));
    steps.emplace_back(static_cast<outage>(random() % outage_names.size()));
    at += count;
  }
  return steps;
}

std::string name_of(outage what) {
  return outage_names.at(static_cast<std::size_t>(what));
}

/// One step a line.
std::string script_of(const std::vector<step>& steps) {
  std::string text;
  for (const auto& one : steps) {
    const auto* const what = std::get_if<operation>(&one);
    text += (what != nullptr ? to_text(*what) : "-- " + name_of(std::get<outage>(one))) + "\n";
  }
  return text;
}

/// Such a tree as the operations know, and what keeps the link busy meanwhile.
varied_tree tree_for(const comparison_shape& shape, std::uint64_t seed) {
  auto tree = make_varied_tree(seed, shape.mode == "fuse" ? hard_links::some : hard_links::none);
  if (shape.when == contents::there) return tree;
  tree.folders.emplace_back("0-large");
  for (std::uint64_t file = 0; file < 24; ++file)
    tree.files.push_back({"0-large/" + std::to_string(file), incompressible(seed * 100 + file, 1U << 20U)});
  return tree;
}

void write_image(const varied_tree& tree, const std::filesystem::path& layout) {
  using records = std::vector<std::pair<std::string, std::string>>;
  const records time{
      {"mtime", std::to_string(varied_tree_time.tv_sec) + "." + std::to_string(varied_tree_time.tv_nsec)}};
  auto time_and_xattr = time;
  time_and_xattr.emplace_back("SCHILY.xattr." + tree.xattr.path, tree.xattr.of);
  tar_builder tar;
  for (const auto& folder : tree.folders) tar.pax(time).folder(folder + "/");
  for (const auto& [path, bytes] : tree.files)
    tar.pax(path == tree.attributed ? time_and_xattr : time).file(path, bytes);
  for (const auto& [path, target] : tree.symlinks) tar.pax(time).symlink(path, target);
  for (const auto& [path, file] : tree.hard_links) tar.pax(time).hard_link(path, file);
  write_layout(layout, {tar.take()}, layer_packing::plain);
}

/// A mount of a new image and a folder that is to look like it.
class compared_mount {
 public:
  /// The name is new; the image is that of the seed, of which the node has nothing.
  compared_mount(cluster& all, const comparison_shape& shape, std::uint64_t seed, std::string name)
      : all_(all), shape_(shape), name_(std::move(name)), folder_(all.folder() / "native" / name_) {
    const auto tree = tree_for(shape, seed);
    std::filesystem::create_directories(folder_);
    write_tree(tree, folder_);
    const auto layout = all.folder() / "layouts" / name_;
    std::filesystem::create_directories(layout.parent_path());
    write_image(tree, layout);
    all_.add(layout, image());
    all_.link().rate(shape.when == contents::there ? 0 : busy_link);
    if (shape.when == contents::there) check_good(all_.on_node({"pull", image()}));
    mount();
    const auto complete = [&] { return all_.node_status()["mounts"][0]["complete"] == true; };
    CHECK((shape.when == contents::there ? eventually(complete) : !complete()));
  }

  /// @returns the first difference, and what led to it; then the mount stays until `abandon`
  std::optional<std::string> run(const std::vector<step>& steps) {
    std::vector<operation> part;
    for (const auto& one : steps) {
      if (const auto* const what = std::get_if<operation>(&one)) {
        part.push_back(*what);
        continue;
      }
      if (auto found = carry_out(part)) return found;
      go_through(std::get<outage>(one));
      if (const auto found = compare_trees(*native_, *tested_, allowed(), compared_after_outage()))
        return told(part, last_ + ": " + *found);
      part.clear();
    }
    if (auto found = carry_out(part)) return found;
    all_.link().rate(0);
    if (const auto found = compare_trees(*native_, *tested_, allowed()))
      return told(part, "at the end: " + *found);
    unmount();
    return std::nullopt;
  }
  /// Whatever state it is in.
  void abandon() {
    let_all_go();
    all_.link().rate(0);
    check_good(all_.on_node({"umount", name_, "--lazy"}));
  }

 private:
  static constexpr std::uint64_t busy_link =
      2'000'000;  // bytes a second: some 12 seconds for the large files

  [[nodiscard]] std::string image() const { return name_ + ":1"; }

  /// As docs/mounting.md has them.
  [[nodiscard]] allowed_differences allowed() const {
    const bool overlayfs = shape_.mode != "fuse";
    return {
        .folder_links = overlayfs, .pipe_times = true, .newer_files = overlayfs, .newer_folders = overlayfs};
  }
  // To look at all contents would make them arrive.
  [[nodiscard]] std::size_t whole_at_end() const {
    return shape_.when == contents::there ? shape_.operations : 0;
  }
  [[nodiscard]] image_contents arrival() const {
    return shape_.when == contents::there ? image_contents::there : image_contents::arriving;
  }
  [[nodiscard]] compared compared_after_outage() const {
    return shape_.when == contents::there ? compared::whole : compared::attributes;
  }

  std::optional<std::string> carry_out(const std::vector<operation>& part) {
    const auto found = compare(*native_, *tested_, part, allowed(), whole_at_end(), arrival());
    if (!found) return std::nullopt;
    const auto behind = part.begin() + static_cast<std::ptrdiff_t>(found->step + 1);
    return told({part.begin(), behind}, found->what);
  }

  [[nodiscard]] std::string told(const std::vector<operation>& since, const std::string& what) const {
    return "after " + last_ + " and a comparison that was good:\n" + fstest::script_of(since) + what;
  }

  void mount() {
    const auto root = all_.mount(image(), name_, mount_kind::writable);
    close_a_file(root);
    native_.emplace(folder_, start_);
    tested_.emplace(root, start_);
    check_mounted();
  }
  // The kernel asks at the first close(2) only: later ones, as when this process forks, need no node.
  static void close_a_file(const std::filesystem::path& root) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
      if (entry.is_regular_file()) return std::ifstream(entry.path()).close();
  }
  void let_all_go() {
    native_->let_all_go();
    tested_->let_all_go();
  }
  void unmount() {
    let_all_go();
    check_good(all_.on_node({"umount", name_}));
    CHECK(all_.mounts().empty());
  }
  void check_mounted() {
    REQUIRE(eventually([&] { return all_.node_status()["mounts"].size() == 1; }));
    const auto status = all_.node_status()["mounts"][0];
    CHECK(status["name"] == name_);
    CHECK(status["mode"] == shape_.mode);
  }

  void go_through(outage what) {
    switch (what) {
      case outage::stop:
      case outage::kill:
        lose_node(what);
        break;
      case outage::remount:
        unmount();
        mount();
        break;
      case outage::restart_and_remount:
        restart_unused();
        mount();
        break;
      case outage::count_:
        break;
    }
    last_ = name_of(what);
  }
  /// The next node goes on with the mount, and with the files that are held open.
  void lose_node(outage how) {
    if (shape_.mode == "fuse") {  // what was removed while it is open is ESTALE afterwards
      native_->let_removed_go();
      tested_->let_removed_go();
    }
    if (how == outage::kill)
      all_.kill_node();
    else
      REQUIRE(all_.stop_node());
    all_.start_node();
    check_mounted();
  }
  /// A node that stops takes down what nobody uses; a copy in another mount namespace counts as use.
  void restart_unused() {
    let_all_go();
    REQUIRE(all_.stop_node());
    all_.start_node();
    all_.await_joined();
    const auto left = all_.mounts();
    if (left.empty()) return;
    check_mounted();
    unmount();
  }

  cluster& all_;
  const comparison_shape& shape_;
  std::string name_;
  std::filesystem::path folder_;
  std::int64_t start_ = std::time(nullptr) - 1;
  std::optional<subject> native_;
  std::optional<subject> tested_;
  std::string last_ = "it was mounted";
};

/// What is found out about a failing sequence must not cost what other tests are given.
constexpr std::chrono::minutes shrinking_max{3};

/// Says what it takes at least for a difference to show. What was compared is abandoned.
void fail_with(cluster& all, const comparison_shape& shape, std::uint64_t seed,
               const std::vector<step>& steps, std::string what) {
  const auto end = std::chrono::steady_clock::now() + shrinking_max;
  int attempt = 0;
  const auto shortest = shrink(steps, [&](const std::vector<step>& part) {
    if (std::chrono::steady_clock::now() > end) return false;
    all.next_node();  // which has none of the image's contents
    compared_mount again(all, shape, seed,
                         "compared-" + std::to_string(seed) + "-" + std::to_string(++attempt));
    const auto found = again.run(part);
    if (!found) return false;
    again.abandon();
    what = *found;
    return true;
  });
  FAIL("the shortest part found in " << attempt << " attempts, " << shortest.size() << " of " << steps.size()
                                     << " steps:\n"
                                     << script_of(shortest) << "differs " << what);
}

void check_like_native(const comparison_shape& shape) {
  const auto seed = seed_of_test();
  CAPTURE(shape.mode, shape.passthrough, shape.when == contents::arriving);
  // Both ways to promote; and what is not checkpointed when the node is killed has to come again.
  cluster all({.node = {"mount_mode=" + shape.mode, "fuse.passthrough=" + shape.passthrough,
                        "fuse.copied_at_once_bytes_max=10000", "checkpoint_interval=100ms"}});
  for (std::size_t sequence = 0; sequence < shape.sequences; ++sequence) {
    const auto own = seed + sequence;
    INFO("FIRSTLIGHT_SEED=" << own);
    const auto steps = steps_of(own, shape);
    compared_mount mount(all, shape, own, "compared-" + std::to_string(own));
    const auto found = mount.run(steps);
    if (!found) continue;
    FAIL_CHECK(*found);
    mount.abandon();
    fail_with(all, shape, own, steps, *found);
  }
}

comparison_shape any_shape() {
  const auto [mode, passthrough] = GENERATE(table<std::string, std::string>(
      {{"overlay", "true"}, {"hybrid", "true"}, {"fuse", "true"}, {"fuse", "false"}}));
  return {.mode = mode, .passthrough = passthrough, .when = GENERATE(contents::there, contents::arriving)};
}

}  // namespace

TEST_CASE("a mount behaves like a folder on a disk over the ends of its node") {
  if (!cluster::possible()) return;
  auto shape = any_shape();
  shape.operations = 250;
  shape.operations_between = 60;
  check_like_native(shape);
}

TEST_CASE("a mount behaves like a folder on a disk over the ends of its node, for long", "[.][all]") {
  if (!cluster::possible()) return;
  auto shape = any_shape();
  shape.operations = 500;
  shape.sequences = 6;
  shape.operations_between = 100;
  check_like_native(shape);
}

}  // namespace firstlight
