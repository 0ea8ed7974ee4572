#include "fuse_bridge/hybrid/content_directory.hpp"

#include <algorithm>
#include <mutex>
#include <numeric>

namespace firstlight {
namespace {

constexpr std::uint64_t content_bit = std::uint64_t{1} << 63U;

}  // namespace

std::uint64_t content_directory::node_of(const content_id& id) {
  std::uint64_t leading = 0;
  for (std::size_t i = 0; i < sizeof leading; ++i)
    leading = leading << 8U | std::to_integer<std::uint64_t>(id.root.bytes.at(i));
  return leading >> 1U | content_bit;
}

/// The contents of one TOC in the order of their ids, which is that of their node numbers too.
class content_directory::toc_contents {
 public:
  explicit toc_contents(const toc_view& toc) : inodes_(toc.content_count()), sorted_(toc.content_count()) {
    for (inode_number number = toc.inode_count(); number >= root_inode; --number) {
      const auto content = toc.inode(number).content;
      if (content != image_inode::no_content) inodes_[content] = number;
    }
    std::iota(sorted_.begin(), sorted_.end(), 0U);
    std::sort(sorted_.begin(), sorted_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return toc.content(a).id < toc.content(b).id; });
  }

  [[nodiscard]] std::optional<std::uint32_t> find(const toc_view& toc, const content_id& id) const {
    const auto at = std::lower_bound(
        sorted_.begin(), sorted_.end(), id,
        [&](std::uint32_t number, const content_id& wanted) { return toc.content(number).id < wanted; });
    if (at == sorted_.end() || toc.content(*at).id != id) return std::nullopt;
    return find_node(toc, node_of(id));
  }
  [[nodiscard]] std::optional<std::uint32_t> find_node(const toc_view& toc, std::uint64_t node) const {
    const auto at = std::lower_bound(
        sorted_.begin(), sorted_.end(), node,
        [&](std::uint32_t number, std::uint64_t wanted) { return node_of(toc.content(number).id) < wanted; });
    if (at == sorted_.end() || node_of(toc.content(*at).id) != node) return std::nullopt;
    const auto next = std::next(at);
    if (next != sorted_.end() && node_of(toc.content(*next).id) == node) return std::nullopt;  // ambiguous
    return *at;
  }
  [[nodiscard]] inode_number inode_of(std::uint32_t content) const { return inodes_[content]; }

 private:
  std::vector<inode_number> inodes_;   // by content number
  std::vector<std::uint32_t> sorted_;  // content numbers by content id
};

void content_directory::join(std::shared_ptr<const content_member> member) {
  std::shared_ptr<const toc_contents> contents;
  const auto* toc = member->image.toc.get();
  {
    const std::shared_lock lock(mutex_);
    for (const auto& known : entries_)
      if (known.member->image.toc.get() == toc) contents = known.contents;
  }
  if (contents == nullptr) contents = std::make_shared<const toc_contents>(*toc);
  const std::unique_lock lock(mutex_);
  entries_.push_back({std::move(member), std::move(contents)});
}

void content_directory::leave(const content_member* member) {
  const std::unique_lock lock(mutex_);
  std::erase_if(entries_, [member](const entry& one) { return one.member.get() == member; });
}

template <class Look>
std::optional<content_directory::found> content_directory::first_of(Look look) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [member, contents] : entries_) {
    const auto& toc = *member->image.toc;
    if (const auto number = look(*contents, toc))
      return found{member, *number, contents->inode_of(*number), toc.content_size(*number)};
  }
  return std::nullopt;
}

std::optional<content_directory::found> content_directory::find(const content_id& id) const {
  return first_of([&](const toc_contents& contents, const toc_view& toc) { return contents.find(toc, id); });
}

std::optional<content_directory::found> content_directory::find_node(std::uint64_t node) const {
  return first_of(
      [&](const toc_contents& contents, const toc_view& toc) { return contents.find_node(toc, node); });
}

}  // namespace firstlight
