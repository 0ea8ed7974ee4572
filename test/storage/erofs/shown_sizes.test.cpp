#include "storage/erofs/shown_sizes.hpp"

#include <cstring>

#include "test/harness/node/test_image.hpp"
#include "test/harness/seen_sizes.hpp"
#include "test/storage/erofs/erofs_fixture.hpp"

namespace firstlight {
namespace {

/// The size of the directory at the root that has this name.
std::uint64_t size_of(const shared_toc& toc, std::string_view name) {
  const auto number = toc->lookup(toc->inode(root_inode), name);
  REQUIRE(number);
  return directory_sizes(toc).of(toc->inode(*number));
}

/// Directories without entries, with few, and with so many that they take several blocks.
image_builder directories_of_many_sizes() {
  image_builder builder;
  builder.directory("empty");
  builder.file("few/a", "a");
  builder.file("few/-before the dots", "");
  builder.directory("few/empty below");
  for (int i = 0; i < 1000; ++i)
    builder.file("many/" + std::string(static_cast<std::size_t>(i % 200), 'n') + std::to_string(i), "");
  for (int i = 0; i < 40; ++i) builder.directory("folders/" + std::to_string(i));
  return builder;
}

std::uint32_t blocks_in_super_block(const std::filesystem::path& image) {
  constexpr std::size_t offset = 1024 + 36;
  std::uint32_t blocks = 0;
  std::memcpy(&blocks, bytes_of_file(image).data() + offset, sizeof blocks);
  return blocks;
}

}  // namespace

TEST_CASE("the size of a directory is 12 bytes and the name for each entry, the two dots among them") {
  image_builder builder;
  builder.directory("empty");
  builder.file("one/abc", "");
  const auto toc = builder.build().toc;
  CHECK(size_of(toc, "empty") == 27);
  CHECK(size_of(toc, "one") == 42);
  CHECK(directory_sizes(toc).of(toc->inode(root_inode)) == 27 + 17 + 15);
}

TEST_CASE("an entry that does not fit into a block begins the next one") {
  // 27 bytes of the dots, 17 * 214, 212: the last name ends a byte before the block, with it, behind.
  const auto [last, size] = GENERATE(table<std::size_t, std::uint64_t>(
      {{206U, 4095U}, {207U, 4096U}, {208U, 4096U + 220U}, {255U, 4096U + 267U}}));
  image_builder builder;
  for (int i = 10; i < 27; ++i) builder.file("full/" + std::string(200, 'f') + std::to_string(i), "");
  builder.file("full/" + std::string(200, 'y'), "");
  builder.file("full/" + std::string(last, 'z'), "");
  CHECK(size_of(builder.build().toc, "full") == size);
}

TEST_CASE("a size that is asked for again is the same") {
  const auto toc = directories_of_many_sizes().build().toc;
  const directory_sizes sizes(toc);
  for (int again = 0; again < 2; ++again)
    for (inode_number number = root_inode; number <= toc->inode_count(); ++number)
      if (const auto inode = toc->inode(number); inode.type == file_type::directory)
        CHECK(sizes.of(inode) == directory_sizes(toc).of(inode));
}

TEST_CASE("the blocks of an image are those of its contents and of its table of contents") {
  image_builder builder;
  builder.file("three blocks", patterned_bytes(6'000, 1));
  builder.file("of both", patterned_bytes(6'000, 2));
  const auto toc = builder.build().toc;
  CHECK(blocks_of_image(*toc) == 3 + (toc->message().size() + 4095) / 4096);
  const temporary_folder folder;
  write_image(toc, folder.path() / "image");
  CHECK(blocks_in_super_block(folder.path() / "image") == blocks_of_image(*toc));
  CHECK(passes_fsck(folder.path() / "image"));
}

TEST_CASE("an image of more blocks than EROFS can say has as many as it can say") {
  auto tree = image_builder().build().toc->tree();
  for (std::uint32_t i = 0; i < 2; ++i) {
    auto& inode = tree.inodes.emplace_back();
    inode.size = 1ULL << 43U;  // 2^31 blocks
    inode.content = i;
    tree.contents.push_back({{{{static_cast<std::byte>(i)}}}, inode.size});
    tree.directories[0].entries.push_back(
        {"f" + std::to_string(i), static_cast<std::uint32_t>(tree.inodes.size() - 1)});
  }
  const auto toc = toc_of(tree);
  CHECK(blocks_of_image(*toc) == 0xffffffff);
  const temporary_folder folder;
  write_image(toc, folder.path() / "image");
  CHECK(blocks_in_super_block(folder.path() / "image") == 0xffffffff);
  CHECK(passes_fsck(folder.path() / "image"));
}

TEST_CASE("Linux shows the sizes that are told of an image") {
  if (!mounting_is_possible()) return;
  const auto toc = directories_of_many_sizes().build().toc;
  const temporary_folder folder;
  write_image(toc, folder.path() / "image");
  CHECK(passes_fsck(folder.path() / "image"));
  const auto mounted = mount_erofs(folder.path() / "image", folder.path() / "root");
  const auto seen = see_sizes(mounted->path());
  CHECK(seen.blocks == blocks_of_image(*toc));
  CHECK(seen.block_bytes == shown_block_bytes);
  CHECK(seen.free_blocks == 0);
  CHECK(seen.used_inodes == toc->inode_count());
  for (const std::string name : {"empty", "few", "many", "folders"}) {
    CAPTURE(name);
    CHECK(seen.directories.at(name).bytes == size_of(toc, name));
    CHECK(seen.directories.at(name).sectors == blocks_for(size_of(toc, name)) * 8);
  }
  CHECK(seen.directories.at("many").bytes > 10 * shown_block_bytes);
}

}  // namespace firstlight
