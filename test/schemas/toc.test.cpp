#include "schemas/toc.hpp"

#include <capnp/any.h>
#include <capnp/serialize.h>
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "test/harness/random_tree.hpp"

namespace firstlight {
namespace {

toc_header some_header() {
  toc_header header;
  header.manifest_digest.bytes.fill(std::byte{7});
  header.manifest_json = "{\"schemaVersion\":2}";
  header.config_json = "{\"architecture\":\"amd64\"}";
  header.compressed_bytes = 123'456;
  return header;
}

result<std::shared_ptr<const toc_view>> open_encoded(const image_tree& tree) {
  auto bytes = encode_toc(some_header(), tree);
  REQUIRE(bytes);
  auto view = toc_view::open(share(std::move(*bytes)));
  if (!view) return view;
  if (auto learnt = (*view)->learn_contents(share(encode_content_ids(tree))); !learnt)
    return tl::unexpected(learnt.error());
  return view;
}

/// Whether encoding and opening a spoilt tree is refused as corrupt.
void refuses(const std::function<void(image_tree&)>& spoil) {
  auto tree = random_image_tree(5, 300);
  spoil(tree);
  const auto opened = open_encoded(tree);
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::corrupt);
}

image_directory& filled_directory(image_tree& tree) {
  for (auto& directory : tree.directories)
    if (directory.entries.size() > 3) return directory;
  FAIL("the tree is too small");
  return tree.directories.front();
}

/// What fuzzing does too: all accessors over all of a view.
std::uint64_t walk(const toc_view& view) {
  std::uint64_t sum = view.manifest_json().size() + view.config_json().size();
  for (inode_number number = 1; number <= view.inode_count(); ++number) {
    const auto inode = view.inode(number);
    sum += inode.size + inode.symlink_target.size();
    for (std::uint32_t i = 0; i < inode.xattr_count; ++i) sum += view.xattribute(inode, i).value.size();
    if (inode.type != file_type::directory) continue;
    for (std::uint32_t i = 0; i < view.entry_count(inode); ++i)
      sum += view.lookup(inode, view.entry(inode, i).name).value();
  }
  return sum;
}

}  // namespace

TEST_CASE("a TOC gives back the tree and the header that it was made from") {
  CHECK(rc::check([] {
    const auto tree =
        random_image_tree(*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::inRange<std::uint32_t>(1, 400));
    const auto view = open_encoded(tree);
    RC_ASSERT(view.has_value());
    RC_ASSERT((*view)->tree() == tree);
    RC_ASSERT((*view)->directory_count() == tree.directories.size());
    RC_ASSERT((*view)->header() == some_header());
  }));
}

TEST_CASE("equal trees give equal TOC bytes, and other trees other bytes") {
  const auto tree = random_image_tree(1, 500);
  const auto first = encode_toc(some_header(), tree);
  const auto second = encode_toc(some_header(), random_image_tree(1, 500));
  const auto other = encode_toc(some_header(), random_image_tree(2, 500));
  REQUIRE(first);
  CHECK(*first == *second);
  CHECK(*first != *other);
}

TEST_CASE("lookup finds each entry by its name and nothing else") {
  const auto tree = random_image_tree(3, 1000);
  const auto view = open_encoded(tree);
  REQUIRE(view);
  std::size_t found = 0;
  for (const auto& directory : tree.directories) {
    const auto inode = (*view)->inode(directory.inode + 1);
    for (const auto& entry : directory.entries) {
      CHECK((*view)->lookup(inode, entry.name) == entry.inode + 1);
      CHECK_FALSE((*view)->lookup(inode, entry.name + "x").has_value());
      ++found;
    }
    CHECK((*view)->parent(inode) == directory.parent + 1);
  }
  CHECK(found > 500);
}

TEST_CASE("a TOC's sums and contents are those of the tree") {
  const auto tree = random_image_tree(4, 800);
  const auto view = open_encoded(tree);
  REQUIRE(view);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < tree.contents.size(); ++i) {
    CHECK((*view)->content(i) == tree.contents[i]);
    bytes += tree.contents[i].size;
  }
  CHECK((*view)->content_bytes() == bytes);
  std::vector<std::string> attributes;
  for (const auto& inode : tree.inodes)
    for (const auto& each : inode.xattrs) attributes.push_back(each.name + "=" + each.value);
  REQUIRE((*view)->xattribute_count() == attributes.size());
  for (std::uint32_t i = 0; i < attributes.size(); ++i) {
    const auto each = (*view)->xattribute(i);
    CHECK(std::string(each.name).append("=").append(each.value) == attributes[i]);
  }
  CHECK((*view)->block_bytes() == default_block_bytes);
}

TEST_CASE("a TOC whose entries are not sorted is refused") {
  refuses([](image_tree& tree) {
    auto& entries = filled_directory(tree).entries;
    std::swap(entries[0], entries[1]);
  });
}
TEST_CASE("a TOC with the same name twice is refused") {
  refuses([](image_tree& tree) {
    auto& entries = filled_directory(tree).entries;
    entries[1].name = entries[0].name;
  });
}
TEST_CASE("a TOC with names that are no file names is refused") {
  using namespace std::string_literals;
  for (const auto& name : {"a/b"s, "a\0b"s, "."s, ".."s, ""s})
    refuses([&](image_tree& tree) {
      filled_directory(tree).entries.resize(1), filled_directory(tree).entries[0].name = name;
    });
}
TEST_CASE("a TOC with a directory in two places is refused") {
  refuses([](image_tree& tree) {
    auto& last = tree.directories.back();
    tree.directories.front().entries.push_back({"\xff\xff again", last.inode});
  });
}
TEST_CASE("a TOC with a cycle of directories is refused") {
  refuses([](image_tree& tree) {
    for (auto& directory : tree.directories) {
      if (directory.parent == 0 || directory.inode == 0) continue;
      directory.entries.push_back({"\xff\xff up", directory.parent});
      return;
    }
  });
}
TEST_CASE("a TOC with an inode that no entry names is refused") {
  refuses([](image_tree& tree) { tree.inodes.emplace_back(); });
}
TEST_CASE("a TOC whose files give one content two sizes is refused") {
  auto tree = random_image_tree(5, 300);
  image_inode* first = nullptr;
  for (auto& inode : tree.inodes) {
    if (inode.content == image_inode::no_content) continue;
    if (first == nullptr) {
      first = &inode;
      continue;
    }
    // The encoder looks at the content's size only, and that is the one of the second file.
    tree.contents[first->content].size = inode.size = first->size + 1;
    inode.content = first->content;
    break;
  }
  REQUIRE(first != nullptr);
  CHECK(encode_toc(some_header(), tree).error().code == errc::invalid_argument);
}
TEST_CASE("the tree of a TOC can be used before its contents are known") {
  const auto tree = random_image_tree(9, 300);
  const auto view = toc_view::open(share(*encode_toc(some_header(), tree))).value();
  CHECK_FALSE(view->contents_known());
  CHECK(view->content_ids().empty());
  CHECK(view->content_count() == tree.contents.size());
  CHECK(walk(*view) > 0);
  std::uint64_t bytes = 0;
  for (std::uint32_t i = 0; i < view->content_count(); ++i) {
    CHECK(view->content_size(i) == tree.contents[i].size);
    bytes += tree.contents[i].size;
  }
  CHECK(view->content_bytes() == bytes);
  auto ids = encode_content_ids(tree);
  ids.resize(ids.size() - 32);
  CHECK(view->learn_contents(share(ids)).error().code == errc::corrupt);
  CHECK_FALSE(view->contents_known());
  REQUIRE(view->learn_contents(share(encode_content_ids(tree))));
  REQUIRE(view->contents_known());
  CHECK(view->tree() == tree);
  CHECK(std::ranges::equal(view->content_ids(), encode_content_ids(tree)));
}
TEST_CASE("a TOC without any content knows all from the start") {
  image_tree tree = random_image_tree(1, 1);
  tree.contents.clear();
  tree.inodes.resize(1);
  tree.directories = {{0, 0, {}}};
  CHECK(toc_view::open(share(*encode_toc(some_header(), tree))).value()->contents_known());
}
TEST_CASE("a TOC with a content that no file uses, or one twice, is refused") {
  refuses([](image_tree& tree) { tree.contents.push_back({{}, 5}); });
  refuses([](image_tree& tree) { tree.contents[1].id = tree.contents[0].id; });
}
TEST_CASE("a TOC with unsorted xattrs is refused") {
  refuses([](image_tree& tree) { tree.inodes[0].xattrs = {{"user.b", ""}, {"user.a", ""}}; });
}

TEST_CASE("a tree that a TOC cannot carry is refused when it is written") {
  auto tree = random_image_tree(6, 50);
  tree.directories[0].entries.push_back({std::string(256, 'z'), 1});
  CHECK(encode_toc(some_header(), tree).error().code == errc::limit_exceeded);
  tree = random_image_tree(6, 50);
  tree.directories[0].inode = 1'000'000;
  CHECK(encode_toc(some_header(), tree).error().code == errc::invalid_argument);
  CHECK(encode_toc(some_header(), {}).error().code == errc::invalid_argument);
}

TEST_CASE("a truncated or misaligned TOC is refused") {
  const auto bytes = *encode_toc(some_header(), random_image_tree(7, 100));
  for (std::size_t length = 0; length < bytes.size(); length += 16) {
    const auto opened =
        toc_view::open(share({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)}));
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::corrupt);
  }
  auto shifted = share(bytes);
  shifted.bytes = shifted.bytes.subspan(1);
  CHECK(toc_view::open(shifted).error().code == errc::invalid_argument);
}

TEST_CASE("a TOC whose rows have another width is refused") {
  struct table {
    std::uint16_t pointer;  // position among the pointers of Toc
    std::uint16_t words;
  };
  const auto tree = random_image_tree(7, 100);
  auto bytes = encode_toc(some_header(), tree).value();
  capnp::FlatArrayMessageReader reader(
      {reinterpret_cast<const capnp::word*>(bytes.data()), bytes.size() / sizeof(capnp::word)});
  const auto rewritten = [&](std::uint16_t pointer,
                             const std::function<void(capnp::AnyPointer::Builder)>& put) {
    capnp::MallocMessageBuilder message;
    message.setRoot(reader.getRoot<capnp::AnyPointer>());
    auto root = message.getRoot<capnp::AnyPointer>().getAs<capnp::AnyStruct>();
    put(root.getPointerSection()[pointer]);
    const auto flat = capnp::messageToFlatArray(message);
    const auto raw = std::as_bytes(std::span(flat.begin(), flat.size()));
    return toc_view::open(share({raw.begin(), raw.end()}));
  };
  const std::string refusal = "table of contents: rows of another width";
  for (const auto& [pointer, words] : {table{3, 6}, table{4, 2}, table{5, 2}, table{8, 2}}) {
    const auto structs = [&](std::uint16_t data, std::uint16_t pointers, std::uint32_t rows) {
      return rewritten(
          pointer, [=](capnp::AnyPointer::Builder to) { to.initAsListOfAnyStruct(data, pointers, rows); });
    };
    const auto wider = static_cast<std::uint16_t>(words + 1);
    const auto narrower = static_cast<std::uint16_t>(words - 1);
    CHECK(structs(0, 0, 3).error().detail == refusal);
    CHECK(structs(narrower, 0, 3).error().detail == refusal);
    CHECK(structs(wider, 0, 3).error().detail == refusal);
    CHECK(structs(words, 1, 3).error().detail == refusal);
    // Rows without width would claim any number of them at no cost.
    CHECK(structs(0, 0, 1'000'000).error().code == errc::corrupt);
    // What Cap'n Proto would take for structs of one field.
    CHECK(rewritten(pointer, [](capnp::AnyPointer::Builder to) { to.initAs<capnp::List<std::uint64_t>>(3); })
              .error()
              .code == errc::corrupt);
    CHECK(rewritten(pointer, [](capnp::AnyPointer::Builder to) { to.initAs<capnp::List<capnp::Text>>(3); })
              .error()
              .code == errc::corrupt);
  }
}

TEST_CASE("whatever bytes change in a TOC, it is refused or can be read to its end") {
  const auto bytes = *encode_toc(some_header(), random_image_tree(8, 60));
  CHECK(rc::check([&] {
    auto changed = bytes;
    for (const auto at :
         *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, bytes.size())))
      changed[at] = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
    const auto view = toc_view::open(share(std::move(changed)));
    if (view) RC_ASSERT(walk(**view) > 0);
  }));
}

}  // namespace firstlight
