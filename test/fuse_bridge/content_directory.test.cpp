#include "fuse_bridge/hybrid/content_directory.hpp"
#include "fuse_bridge/hybrid/content_node.hpp"

#include <catch2/catch.hpp>

#include "schemas/toc_contents.hpp"
#include "test/harness/node/test_image.hpp"

using namespace firstlight;

namespace {

std::shared_ptr<content_member> member_of(const image_builder& builder) {
  return std::make_shared<content_member>(
      content_member{{}, {builder.build().toc, std::make_shared<session_counters>()}, {}});
}

std::optional<content_directory::found> find(const content_directory& directory, const content_id& id) {
  const content_name name(id);
  return directory.find({name.folder(), name.view().substr(3)});
}

std::optional<content_directory::found> find(const content_directory& directory, const early_content& early) {
  const auto name = early_name(early);
  return directory.find({{name.data(), 2}, {name.data() + 3, name.size() - 3}});
}

std::shared_ptr<access_recorder> recording_now() {
  return std::make_shared<access_recorder>(std::chrono::nanoseconds(1), recorded_detail::blocks,
                                           recording_limits{.settle_time = std::chrono::seconds(0)});
}

/// Two mounted images that both have the contents "x" and "y" and one of their own, under other numbers.
struct two_images {
  std::shared_ptr<access_recorder> first = recording_now();
  std::shared_ptr<access_recorder> second;  ///< none: that one is not recorded
  std::shared_ptr<content_member> members[2];
  content_directory directory;

  explicit two_images(std::shared_ptr<access_recorder> of_second) : second(std::move(of_second)) {
    image_builder one;
    one.file("first/own", "own");
    image_builder other;
    for (const std::string own : {"a", "b"}) other.file("second/" + own, "another's " + own);
    for (auto* builder : {&one, &other}) {
      builder->name_contents_by_bytes();
      for (const std::string path : {"x", "y"}) builder->file(path, path);
    }
    members[0] = member_of(one);
    members[1] = member_of(other);
    members[0]->image.recorder = first;
    members[1]->image.recorder = second;
    members[1]->toc.value.bytes.fill(std::byte{1});
    for (const auto& member : members) REQUIRE(directory.join(member));
  }
  [[nodiscard]] std::uint32_t number_of(int member, const std::string& path) const {
    return content_at(*members[member]->image.toc, path)->value();
  }
  [[nodiscard]] read_notes notes_of(const std::string& path, int member = 0) const {
    return find(directory, members[member]->image.toc->content(number_of(member, path)).id)->notes;
  }
  void read(const std::string& path, int member = 0) const {
    note_read(notes_of(path, member), {0, 0, 1}, 1);
  }
  void open(int member, const std::string& path) const {
    members[member]->image.recorder->opened(number_of(member, path), std::chrono::steady_clock::now());
  }
  /// What of `paths` one recording has noted blocks of.
  [[nodiscard]] std::vector<std::string> noted(int member, const std::vector<std::string>& paths) const {
    std::vector<std::string> found;
    const auto all = members[member]->image.recorder->so_far();
    for (const auto& path : paths)
      for (const auto& one : all)
        if (one.content == number_of(member, path) && !one.runs.empty()) found.push_back(path);
    return found;
  }
};

const std::vector<std::string> shared{"x", "y"};

}  // namespace

TEST_CASE("every content is found by its names and by its nodes") {
  image_builder builder;
  for (std::uint32_t i = 0; i < 1000; ++i)
    builder.file("many/" + std::to_string(i), patterned_bytes(100 + i, i));
  const auto member = member_of(builder);
  content_directory directory;
  REQUIRE(directory.join(member));
  const auto& toc = *member->image.toc;
  for (std::uint32_t number = 0; number < toc.content_count(); ++number) {
    const auto content = toc.content(number);
    const auto by_id = find(directory, content.id);
    REQUIRE(by_id);
    CHECK(by_id->content == number);
    CHECK(by_id->size == content.size);
    CHECK(toc.inode(by_id->inode).content == number);
    const auto by_node = directory.find_node(content_node::of(content.id));
    REQUIRE(by_node);
    CHECK(by_node->content == number);
    CHECK(by_id->node == content_node::of(content.id));
    const auto early = find(directory, early_content{0, number});
    REQUIRE(early);
    CHECK(early->content == number);
    CHECK(early->node != by_id->node);
    CHECK(directory.find_node(early->node)->content == number);
    CHECK((content_node::of(content.id) >> 63U) == 1);
  }
  directory.leave(member.get());
  CHECK_FALSE(find(directory, toc.content(0).id));
}

TEST_CASE("a content of two images is the first one's, until that leaves") {
  image_builder builder;
  builder.file("file", "shared");
  const auto first = member_of(builder);
  builder.file("other", "own");
  const auto second = member_of(builder);
  content_directory directory;
  REQUIRE(directory.join(first));
  second->toc.value.bytes.fill(std::byte{1});
  REQUIRE(directory.join(second));
  const auto id = first->image.toc->content(0).id;
  CHECK(find(directory, id)->member == first);
  directory.leave(first.get());
  CHECK(find(directory, id)->member == second);
  CHECK(second->image.toc->content(find(directory, id)->content).id == id);
}

TEST_CASE("a content of two images is that of the one that was not given up, and still there if both were") {
  image_builder builder;
  builder.file("file", "shared");
  const auto first = member_of(builder);
  const auto second = member_of(builder);
  second->toc.value.bytes.fill(std::byte{1});
  content_directory directory;
  REQUIRE(directory.join(first));
  REQUIRE(directory.join(second));
  const auto id = first->image.toc->content(0).id;
  *first->given_up = true;
  CHECK(find(directory, id)->member == second);
  *second->given_up = true;
  CHECK(find(directory, id));
}

TEST_CASE("contents are found by early names until their ids are known, and by torn ones then") {
  image_builder builder;
  builder.file("one", "one");
  builder.file("two", "two");
  const auto [image, ids] = builder.build_tree();
  const auto member = std::make_shared<content_member>(
      content_member{{}, {image.toc, std::make_shared<session_counters>()}, {}});
  content_directory directory;
  REQUIRE(directory.join(member));
  CHECK(find(directory, early_content{0, 1})->content == 1);
  CHECK_FALSE(find(directory, early_content{0, 2}));
  CHECK_FALSE(find(directory, early_content{1, 1}));
  REQUIRE(image.toc->learn_contents(share(ids)));
  CHECK_FALSE(find(directory, image.toc->content(1).id));
  directory.learn(member.get());
  CHECK(find(directory, image.toc->content(1).id)->content == 1);
  CHECK(find(directory, early_content{0, 1})->content == 1);
  const auto early = early_name({0, 1});
  const content_name real(image.toc->content(1).id);
  const auto torn = std::string(real.view().substr(0, 40)) + std::string(early.begin() + 40, early.end());
  CHECK(directory.find({std::string_view(torn).substr(0, 2), std::string_view(torn).substr(3)})->content ==
        1);
}

TEST_CASE("two images with the same mark cannot both be there") {
  image_builder builder;
  builder.file("file", "one");
  const auto first = member_of(builder);
  const auto second = member_of(builder);
  second->toc.value.bytes[31] = std::byte{1};
  content_directory directory;
  REQUIRE(directory.join(first));
  CHECK(directory.join(second).error().code == errc::busy);
}

TEST_CASE("of two starts that share contents each notes what it has opened itself, told before or after") {
  const two_images images(recording_now());
  images.first->follow_opens();
  images.second->follow_opens();
  images.open(1, "y");
  images.read("x");
  images.read("y");
  images.open(0, "x");
  CHECK(images.noted(0, shared) == std::vector<std::string>{"x"});
  CHECK(images.noted(1, shared) == std::vector<std::string>{"y"});
}

TEST_CASE("what a mount that is not recorded reads is in no trace of one that has the same contents") {
  const two_images images(nullptr);
  images.first->follow_opens();
  images.open(0, "x");
  images.read("x");
  images.read("y");
  images.read("first/own");
  CHECK(images.noted(0, {"x", "y", "first/own"}) == std::vector<std::string>{"x", "first/own"});
  CHECK(images.notes_of("second/a", 1).empty());
}

TEST_CASE("a start settles while another one waits for what both have, unless it has opened that too") {
  const two_images images(nullptr);
  images.first->follow_opens();
  images.open(0, "x");
  const auto later = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  note_waits(images.notes_of("y"));
  CHECK(images.first->settled(later));
  const auto own = images.notes_of("x");
  note_waits(own);
  CHECK_FALSE(images.first->settled(later));
  note_waited(own, {0, 0, 1}, 1, std::chrono::steady_clock::now());
  note_waits(own);
  note_gave_up(own);
  CHECK(images.first->settled(later));
  CHECK(images.noted(0, shared) == std::vector<std::string>{"x"});
}

TEST_CASE("where opens are not told the first start that is recorded notes what it shares with others") {
  const two_images images(recording_now());
  images.read("x");
  CHECK(images.noted(0, shared) == std::vector<std::string>{"x"});
  CHECK(images.noted(1, shared).empty());
}

TEST_CASE("once opens are missed what was kept until they are told is noted") {
  const two_images images(recording_now());
  images.first->follow_opens();
  images.second->follow_opens();
  images.read("x");
  CHECK(images.noted(0, shared).empty());
  images.first->miss_opens();
  images.read("y");
  CHECK(images.noted(0, shared) == shared);
  CHECK(images.noted(1, shared).empty());
}
