#include <fcntl.h>

#include <future>
#include <new>

#include "test/fuse_bridge/keeper_fixture.hpp"
#include "test/fuse_bridge/mounted_image.hpp"

/// Mounts in modes overlay and fuse whose bridges fail.
using namespace firstlight;

namespace {

/// A content store that is told when to throw, as if there were no memory for what is read.
class throwing_store final : public content_store {
 public:
  explicit throwing_store(content_store& behind) : behind_(behind) {}
  void throw_at_next_read() { throws_ = true; }

  result<std::size_t> read(const content_info& content, std::uint64_t offset,
                           std::span<std::byte> into) const override {
    if (throws_.exchange(false)) throw std::bad_alloc();
    return behind_.read(content, offset, into);
  }
  [[nodiscard]] content_state state(const content_id& id) const override { return behind_.state(id); }
  [[nodiscard]] block_set blocks(const content_info& content) const override {
    return behind_.blocks(content);
  }
  [[nodiscard]] bool ready(const content_info& content, std::uint32_t first,
                           std::uint32_t count) const override {
    return behind_.ready(content, first, count);
  }
  result<content_state> write(const content_info& content, std::uint32_t first, bytes_view bytes) override {
    return behind_.write(content, first, bytes);
  }
  result<int> open_complete(const content_info& content) const override {
    return behind_.open_complete(content);
  }
  [[nodiscard]] std::unique_ptr<content_writer> new_content() override { return behind_.new_content(); }
  result<std::vector<digest>> leaves(const content_info& content) const override {
    return behind_.leaves(content);
  }
  result<void> checkpoint() override { return behind_.checkpoint(); }
  result<void> remove(const content_id& id) override { return behind_.remove(id); }
  void for_each(const std::function<void(const content_info&, content_state)>& visit) const override {
    behind_.for_each(visit);
  }
  [[nodiscard]] std::uint64_t bytes_stored() const override { return behind_.bytes_stored(); }

 private:
  content_store& behind_;
  mutable std::atomic<bool> throws_{false};
};

image_builder::built named_files(std::initializer_list<const char*> names) {
  image_builder image;
  for (const auto* name : names) image.file(name, name);
  return image.build();
}

/// An image whose files hold their names, mounted by nodes that come one after another and have a keeper.
struct restarted_image {
  restarted_image(mount_mode in, view how) : mode(in), shown(how) { std::filesystem::create_directory(root); }
  ~restarted_image() {
    end_node();
    umount2(root.c_str(), MNT_DETACH);
    umount2(point.c_str(), MNT_DETACH);
  }
  restarted_image(const restarted_image&) = delete;
  restarted_image& operator=(const restarted_image&) = delete;

  /// Mounts, or goes on with what the node before has left. @returns which of both
  result<bool> start_node() {
    auto opened = keepers.open();
    if (!opened) return tl::unexpected(opened.error());
    keeper = std::move(*opened);
    maker = spawn_mounter(
        fixture.system(),
        {.store = &store, .mounts_folder = fixture.mounts_folder(), .limits = {}, .keeper = keeper});
    mount_request request{"image", image.toc, source.handle(), root, {}, mode};
    request.record.target = root;
    request.record.image.toc = {sha256(image.toc->message())};
    if (shown == view::writable)
      request.writable = writable_layer{fixture.folder() / "upper", fixture.folder() / "work"};
    const auto kept = keeper->take_kept();
    if (!kept.empty()) request.left = kept.front().session;
    const auto made = fixture.mount(request, maker);
    if (!made) return tl::unexpected(made.error());
    mount = made->handle;
    return !kept.empty();
  }
  void end_node() {
    if (mount) fixture.end(mount);
    if (maker) fixture.end(maker);
    keeper.reset();
  }

  /// Has the bridge fail; whoever reads "failing" sees that.
  void fail_bridge() {
    store.throw_at_next_read();
    deliver("failing");
    fixture.wait_for_end(mount);
  }
  result<void> take_down_failed(busy_mount how) {
    caf::scoped_actor self(fixture.system());
    result<void> outcome;
    self->request(maker, std::chrono::seconds(30), unmount_failed{"image", how})
        .receive([](unmounted) {},
                 [&](const caf::error& failure) { outcome = tl::unexpected(from_caf(failure)); });
    return outcome;
  }
  void deliver(const std::string& file) {
    for (std::uint32_t content = 0; content < image.bytes.size(); ++content)
      if (image.bytes[content] == file) source.deliver_content(content);
  }

  keeper_fixture keepers;
  std::shared_ptr<mount_keeper> keeper;
  mount_mode mode;
  view shown;
  image_builder::built image = named_files({"failing", "waiting", "missing", "late"});
  mount_fixture fixture;
  throwing_store store{fixture.store()};
  fake_source source{fixture.system(), fixture.store(), image};
  mounter maker;
  instance mount;
  std::filesystem::path root = fixture.folder() / "root";
  std::filesystem::path point = fixture.mounts_folder() / "image" / "fuse";
  watchdog guard{point};
};

/// 0, or why not even one byte could be read.
int error_of_reading(const std::filesystem::path& path) {
  const file_descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char byte = 0;
  return file && pread(file.get(), &byte, 1, 0) >= 0 ? 0 : errno;
}

/// A mount without a kernel.
class fake_held_mount final : public held_mount {
 public:
  explicit fake_held_mount(std::atomic<bool>& used) : used_(used) {}
  [[nodiscard]] std::string name() const override { return "image"; }
  result<void> take_down(busy_mount how) override {
    if (used_ && how == busy_mount::refuse) return fail(errc::busy, "in use");
    return {};
  }
  [[nodiscard]] bool alive() const override { return used_; }
  bool leave_if_used() override { return used_; }

 private:
  std::atomic<bool>& used_;
};

bool ends(const std::future<int>& reader) {
  return eventually([&] { return reader.wait_for(std::chrono::seconds(0)) == std::future_status::ready; });
}

}  // namespace

TEST_CASE("a used mount whose bridge fails lets nobody wait, until the next node goes on with it") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::fuse);
  const auto shown = GENERATE(view::read_only, view::writable);
  restarted_image all(mode, shown);
  const auto read = [&](const char* file) {
    return std::async(std::launch::async, [path = all.root / file] { return error_of_reading(path); });
  };
  REQUIRE(all.start_node());
  file_descriptor opened(open((all.root / "late").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(opened);
  auto failing = read("failing");
  auto waiting = read("waiting");
  REQUIRE(all.source.wait_for_wants(2));

  all.fail_bridge();
  CHECK(ends(failing));  // with its byte, which has come, if the kernel asks once more
  CHECK(ends(waiting));
  CHECK(waiting.get() == EIO);
  CHECK(error_of_reading(all.root / "missing") == EIO);
  all.deliver("late");
  CHECK(read_file((all.root / "late").string()) == "late");

  all.end_node();
  const auto went_on = all.start_node();
  REQUIRE(went_on);
  CHECK(*went_on);
  auto missing = read("missing");
  REQUIRE(all.source.wait_for_wants(3));
  all.deliver("missing");
  CHECK(missing.get() == 0);
  opened = file_descriptor();
  all.end_node();
  CHECK(std::filesystem::is_empty(all.fixture.mounts_folder()));
}

TEST_CASE("a used mount whose bridge has failed is taken down as others are") {
  if (!mounting_is_possible()) return;
  const auto mode = GENERATE(mount_mode::overlay, mount_mode::fuse);
  const auto shown = GENERATE(view::read_only, view::writable);
  restarted_image all(mode, shown);
  REQUIRE(all.start_node());
  file_descriptor opened(open((all.root / "late").c_str(), O_RDONLY | O_CLOEXEC));
  REQUIRE(opened);
  auto failing =
      std::async(std::launch::async, [path = all.root / "failing"] { return error_of_reading(path); });
  REQUIRE(all.source.wait_for_wants(1));
  all.fail_bridge();
  CHECK(ends(failing));
  all.deliver("late");

  const auto refused = all.take_down_failed(busy_mount::refuse);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::busy);
  CHECK(std::filesystem::exists(all.root / "late"));
  CHECK(all.take_down_failed(busy_mount::detach));
  CHECK(std::filesystem::is_empty(all.root));
  char byte = 0;
  CHECK(pread(opened.get(), &byte, 1, 0) == 1);
  opened = file_descriptor();
  CHECK(eventually([&] {
    return all.take_down_failed(busy_mount::detach) && std::filesystem::is_empty(all.fixture.mounts_folder());
  }));
  all.end_node();
}

TEST_CASE("a used mount whose instance fails lets nobody wait") {
  if (!mounting_is_possible()) return;
  restarted_image all(mount_mode::overlay, view::read_only);
  REQUIRE(all.start_node());
  auto waiting =
      std::async(std::launch::async, [path = all.root / "waiting"] { return error_of_reading(path); });
  REQUIRE(all.source.wait_for_wants(1));
  caf::anon_send_exit(all.mount, caf::exit_reason::kill);
  CHECK(ends(waiting));
  CHECK(waiting.get() == EIO);
  all.end_node();
}

TEST_CASE(
    "a failed mount is held until it is taken down and its last user has gone; none is not taken down") {
  const auto code_of = [](const result<void>& outcome) {
    return outcome ? std::optional<errc>() : outcome.error().code;
  };
  std::atomic<bool> used{true};
  auto mount = std::make_shared<fake_held_mount>(used);
  const std::weak_ptr<held_mount> held = mount;
  failed_mounts failed;
  CHECK(code_of(failed.take_down("image", busy_mount::detach)) == errc::not_found);
  failed.take(std::move(mount));
  CHECK(code_of(failed.take_down("image", busy_mount::refuse)) == errc::busy);
  CHECK(failed.take_down("image", busy_mount::detach));
  CHECK_FALSE(held.expired());
  used = false;
  CHECK(failed.take_down("image", busy_mount::refuse));
  CHECK(held.expired());
  CHECK(code_of(failed.take_down("image", busy_mount::refuse)) == errc::not_found);
}
