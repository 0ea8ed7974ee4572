// What others do with a large file of the image while its contents are copied, or are waited for, when it has
// no name or loses it.
#include <fcntl.h>

#include <future>
#include <utility>

#include "test/fuse_bridge/mounted_image.hpp"
#include "test/fuse_bridge/session_bench.hpp"
#include "test/harness/eventually.hpp"

using namespace firstlight;

namespace {

constexpr std::size_t large_bytes = 3 * default_block_bytes + 7;

/// Contents that tell, once, when they are about to be copied.
class told_contents final : public whole_contents {
 public:
  using whole_contents::whole_contents;
  result<int> open_complete(const content_info& content) const override {
    if (const auto tell = std::exchange(on_copy, {})) tell();
    return whole_contents::open_complete(content);
  }
  mutable std::function<void()> on_copy;
};

struct copy_bench {
  copy_bench() { open(session_life::fresh); }

  void open(session_life life) {
    if (tree) tree->leave();
    tree.reset();
    tree = *writable_tree::open(image.toc, 7, store, {folder.path() / "upper", folder.path() / "work"},
                                /*copied_at_once_max=*/100, life);
  }
  /// Opens it for writing, as a copier does. `meanwhile` is done by another thread, before the first byte is
  /// copied. @returns whether it was done by then, and the file opened
  template <class Meanwhile>
  bool open_for_writing(Meanwhile meanwhile) {
    bool in_time = false;
    std::future<void> done;
    store.on_copy = [&] {
      done = std::async(std::launch::async, meanwhile);
      in_time = done.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    };
    const auto opened = tree->open_file(number, O_RDWR, pace::unhurried);
    return opened && in_time;
  }
  void remove_open() const {
    REQUIRE(tree->open_file(number, O_RDONLY, pace::at_once));
    REQUIRE(tree->unlink(root_inode, "large"));
  }
  [[nodiscard]] std::string contents() const {
    const auto own = tree->file_of(number);
    if (!own || *own == nullptr) return own ? "the image's" : "refused";
    std::string now(2 * large_bytes, '\0');
    const auto got = pread((*own)->get(), now.data(), now.size(), 0);
    now.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return now;
  }
  [[nodiscard]] std::ptrdiff_t kept() const {
    const std::filesystem::directory_iterator all(folder.path() / "work" / "firstlight-kept");
    return std::distance(begin(all), end(all));
  }

  temporary_folder folder;
  std::string bytes = patterned_bytes(large_bytes, 1);
  image_builder::built image = [this] {
    image_builder builder;
    builder.file("large", bytes, 04755);
    return builder.build();
  }();
  told_contents store{folder.path() / "store", image};
  std::shared_ptr<writable_tree> tree;
  node_number number = image.toc->lookup(image.toc->inode(root_inode), "large").value();
};

}  // namespace

TEST_CASE("a large file without a name is copied while others use the tree, and keeps its attributes") {
  if (!marks_are_possible()) return;
  copy_bench bench;
  const bool promoted = GENERATE(false, true);
  CAPTURE(promoted);
  attribute_changes changes;
  changes.uid = 1000;
  if (promoted) REQUIRE(bench.tree->set_attributes(bench.number, changes, pace::at_once));
  bench.remove_open();
  const auto at_once = bench.tree->open_file(bench.number, O_RDWR, pace::at_once);
  REQUIRE_FALSE(at_once);
  CHECK(at_once.error().slow);
  REQUIRE(bench.open_for_writing([&] {
    CHECK(bench.tree->attributes(root_inode));
    CHECK(bench.contents() == "the image's");
  }));
  const auto shown = [&] {
    CHECK(bench.contents() == bench.bytes);
    const auto st = *bench.tree->attributes(bench.number);
    CHECK(st.st_ino == bench.number);
    CHECK(st.st_nlink == 0);
    CHECK((st.st_mode & 0777U) == 0755U);
    CHECK(st.st_uid == (promoted ? 1000 : 0));
    const auto in_image = bench.image.toc->inode(static_cast<inode_number>(bench.number));
    CHECK(st.st_mtim.tv_sec == in_image.modified.seconds);
  };
  shown();
  bench.open(session_life::taken_over);
  shown();
  REQUIRE(bench.tree->link(bench.number, root_inode, "named"));
  bench.open(session_life::taken_over);
  CHECK(bench.tree->lookup(root_inode, "named")->number == bench.number);
  CHECK(bench.contents() == bench.bytes);
}

TEST_CASE("a file that loses its last name while it is copied, and whoever had it open, is opened") {
  if (!marks_are_possible()) return;
  copy_bench bench;
  const bool had_it_open = GENERATE(false, true);
  const bool named = GENERATE(false, true);
  if (!named && !had_it_open) return;
  CAPTURE(had_it_open, named);
  if (!named)
    bench.remove_open();
  else if (had_it_open)
    REQUIRE(bench.tree->open_file(bench.number, O_RDONLY, pace::at_once));
  REQUIRE(bench.open_for_writing([&] {
    if (named) CHECK(bench.tree->unlink(root_inode, "large"));
    if (had_it_open) bench.tree->release(bench.number);
  }));
  CHECK(bench.contents() == bench.bytes);
  CHECK(bench.tree->attributes(bench.number)->st_nlink == 0);
  CHECK(bench.kept() == 1);
  bench.tree->release(bench.number);
  CHECK(bench.kept() == 0);
}

TEST_CASE("a file without a name that its last user closes can be opened by who waits for the contents") {
  if (!marks_are_possible()) return;
  copy_bench bench;
  bench.remove_open();
  REQUIRE_FALSE(bench.tree->open_file(bench.number, O_RDWR, pace::at_once));
  bench.tree->release(bench.number);
  REQUIRE(bench.open_for_writing([] {}));
  CHECK(bench.contents() == bench.bytes);
  bench.tree->release(bench.number);
  CHECK(bench.kept() == 0);
}

TEST_CASE("a file that loses its last name while somebody waits to open it is opened, or goes") {
  if (!marks_are_possible()) return;
  copy_bench bench;
  const bool closed_by_another = GENERATE(false, true);
  const bool gives_up = GENERATE(false, true);
  CAPTURE(closed_by_another, gives_up);
  {
    const auto waits = bench.tree->open_file(bench.number, O_RDWR, pace::at_once);
    REQUIRE_FALSE(waits);
    REQUIRE(waits.error().slow);
    REQUIRE(bench.tree->unlink(root_inode, "large"));
    if (closed_by_another) {
      REQUIRE(bench.tree->open_file(bench.number, O_WRONLY | O_TRUNC, pace::at_once));
      bench.tree->release(bench.number);
    }
    CHECK(bench.kept() == 1);
    if (!gives_up) REQUIRE(bench.tree->open_file(bench.number, O_RDWR, pace::unhurried));
  }
  if (!gives_up) {
    CHECK(bench.contents() == (closed_by_another ? "" : bench.bytes));
    CHECK(bench.tree->attributes(bench.number)->st_nlink == 0);
    bench.tree->release(bench.number);
  }
  bench.tree->forget(bench.number, [] { return false; });
  CHECK(bench.kept() == 0);
}

TEST_CASE("a file that loses its last name while its contents are waited for is opened") {
  if (!mounting_is_possible()) return;
  fuse_limits limits;
  limits.copied_at_once_bytes_max = GENERATE(0U, 1U << 20U);  // copied by the copier, and at once
  CAPTURE(limits.copied_at_once_bytes_max);
  image_builder builder;
  builder.file("large", patterned_bytes(large_bytes, 1));
  mounted_image image(builder, view::writable, limits, mount_mode::fuse);
  const auto path = image.path("large");
  auto waits = std::async(std::launch::async, [&] {
    const file_descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    std::string bytes(large_bytes + 1, '\0');
    if (!file || pread(file.get(), bytes.data(), bytes.size(), 0) != ssize_t{large_bytes}) return false;
    bytes.resize(large_bytes);
    return bytes == patterned_bytes(large_bytes, 1);
  });
  REQUIRE(image.source.wait_for_wants(1));
  REQUIRE(unlink(path.c_str()) == 0);
  image.source.deliver_all();
  CHECK(waits.get());
  const auto kept = image.fixture.folder() / "work" / "firstlight-kept";
  CHECK(eventually([&] { return std::filesystem::is_empty(kept); }));
}

TEST_CASE("what is cut short or gets a name while it is copied stays so") {
  if (!marks_are_possible()) return;
  copy_bench bench;
  bench.remove_open();
  const bool cut = GENERATE(true, false);
  CAPTURE(cut);
  REQUIRE(bench.open_for_writing([&] {
    attribute_changes shorter;
    shorter.size = 4;
    if (cut)
      CHECK(bench.tree->set_attributes(bench.number, shorter, pace::at_once));
    else
      CHECK(bench.tree->link(bench.number, root_inode, "named"));
  }));
  CHECK(bench.contents() == (cut ? bench.bytes.substr(0, 4) : bench.bytes));
  CHECK(bench.kept() == (cut ? 1 : 0));
  CHECK(bench.tree->attributes(bench.number)->st_nlink == (cut ? 0 : 1));
  CHECK(std::filesystem::is_empty(bench.folder.path() / "work" / "firstlight"));
}
