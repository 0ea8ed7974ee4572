#include "fuse_bridge/hybrid/content_directory.hpp"

#include <catch2/catch.hpp>

#include "test/harness/node/test_image.hpp"

using namespace firstlight;

namespace {

std::shared_ptr<content_member> member_of(const image_builder& builder) {
  return std::make_shared<content_member>(
      content_member{{builder.build().toc, std::make_shared<session_counters>()}, {}});
}

}  // namespace

TEST_CASE("every content is found by its id and by its node") {
  image_builder builder;
  for (std::uint32_t i = 0; i < 1000; ++i)
    builder.file("many/" + std::to_string(i), patterned_bytes(100 + i, i));
  const auto member = member_of(builder);
  content_directory directory;
  directory.join(member);
  const auto& toc = *member->image.toc;
  for (std::uint32_t number = 0; number < toc.content_count(); ++number) {
    const auto content = toc.content(number);
    const auto by_id = directory.find(content.id);
    REQUIRE(by_id);
    CHECK(by_id->content == number);
    CHECK(by_id->size == content.size);
    CHECK(toc.inode(by_id->inode).content == number);
    const auto by_node = directory.find_node(content_directory::node_of(content.id));
    REQUIRE(by_node);
    CHECK(by_node->content == number);
    CHECK((content_directory::node_of(content.id) >> 63U) == 1);
  }
  directory.leave(member.get());
  CHECK_FALSE(directory.find(toc.content(0).id));
}

TEST_CASE("a content of two images is the first one's, until that leaves") {
  image_builder builder;
  builder.file("file", "shared");
  const auto first = member_of(builder);
  builder.file("other", "own");
  const auto second = member_of(builder);
  content_directory directory;
  directory.join(first);
  directory.join(second);
  const auto id = first->image.toc->content(0).id;
  CHECK(directory.find(id)->member == first);
  directory.leave(first.get());
  CHECK(directory.find(id)->member == second);
  CHECK(second->image.toc->content(directory.find(id)->content).id == id);
}
