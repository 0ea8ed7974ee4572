// Both parts of a table of contents: a tree, and the ids of its contents.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>

#include "schemas/toc.hpp"
#include "test/fuzz/fuzz_entry.hpp"
#include "test/harness/random_tree.hpp"

using namespace firstlight;

namespace {

/// Reads all of a TOC; whatever was accepted must be readable to its end.
std::uint64_t walk(const toc_view& view) {
  std::uint64_t sum = view.manifest_json().size() + view.config_json().size() + view.content_bytes();
  for (std::uint32_t i = 0; i < view.content_count(); ++i) sum += view.content_size(i);
  for (inode_number number = 1; number <= view.inode_count(); ++number) {
    const auto inode = view.inode(number);
    for (const char c : inode.symlink_target) sum += static_cast<unsigned char>(c);
    for (std::uint32_t i = 0; i < inode.xattr_count; ++i) sum += view.xattribute(inode, i).value.size();
    if (inode.type != file_type::directory) continue;
    for (std::uint32_t i = 0; i < view.entry_count(inode); ++i) {
      const auto entry = view.entry(inode, i);
      if (view.lookup(inode, entry.name) != entry.inode) std::abort();
    }
    // Up to the root: an accepted tree has no cycle.
    std::uint32_t steps = 0;
    for (auto at = number; at != root_inode; at = view.parent(view.inode(at)))
      if (++steps > view.inode_count()) std::abort();
  }
  return sum;
}

/// A small tree, whose contents are still to be learnt.
const image_tree& known_tree() {
  static const image_tree tree = random_image_tree(7, 60);
  return tree;
}

/// What is learnt is one id for each content, none twice, and is what was given; else nothing is.
void learn(bytes_view ids) {
  static const auto message = share(encode_toc({}, known_tree()).value());
  const auto view = toc_view::open(message).value();
  const std::size_t count = view->content_count();
  std::set<std::vector<std::byte>> different;
  for (std::size_t at = 0; at + sizeof(digest) <= ids.size() && different.size() <= count;
       at += sizeof(digest)) {
    const auto id = ids.subspan(at, sizeof(digest));
    different.emplace(id.begin(), id.end());
  }
  const bool good = ids.size() == count * sizeof(digest) && different.size() == count;
  if (view->learn_contents(share({ids.begin(), ids.end()})).has_value() != good) std::abort();
  if (view->contents_known() != good) std::abort();
  if (!std::ranges::equal(view->content_ids(), good ? ids : bytes_view{})) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);  // vectors are aligned
  if (size != 0) std::memcpy(bytes.data(), data, size);
  learn(bytes);
  const auto view = toc_view::open(share(std::move(bytes)));
  // Compared, so that the reading is not optimised away.
  if (view && walk(**view) != walk(**view)) std::abort();
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const auto bytes = encode_toc({}, random_image_tree(i, static_cast<std::uint32_t>(1 + i * 15))).value();
    seeds.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  const auto ids = encode_content_ids(known_tree());
  seeds.emplace_back(reinterpret_cast<const char*>(ids.data()), ids.size());
  return seeds;
}
