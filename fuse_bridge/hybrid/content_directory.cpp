#include "fuse_bridge/hybrid/content_directory.hpp"

#include <algorithm>
#include <mutex>
#include <numeric>

namespace firstlight {
namespace {

constexpr std::uint64_t id_bit = std::uint64_t{1} << 63U;
constexpr std::uint64_t early_bit = std::uint64_t{1} << 62U;

}  // namespace

std::uint64_t content_directory::node_of(const content_id& id) {
  std::uint64_t leading = 0;
  for (std::size_t i = 0; i < sizeof leading; ++i)
    leading = leading << 8U | std::to_integer<std::uint64_t>(id.root.bytes.at(i));
  return leading >> 1U | id_bit;
}

std::uint64_t content_directory::node_of(const early_content& content) {
  return early_bit | std::uint64_t{content.toc_mark} << 32U | content.content;
}

/// The contents of one TOC: who has them, and in the order of their ids, which is that of their node numbers
/// too. That order is empty while the ids are not known.
class content_directory::toc_contents {
 public:
  explicit toc_contents(const toc_view& toc) : inodes_(toc.content_count()) {
    for (inode_number number = toc.inode_count(); number >= root_inode; --number) {
      const auto content = toc.inode(number).content;
      if (content != image_inode::no_content) inodes_[content] = number;
    }
    if (!toc.contents_known()) return;
    sorted_.resize(toc.content_count());
    std::iota(sorted_.begin(), sorted_.end(), 0U);
    std::sort(sorted_.begin(), sorted_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return toc.content(a).id < toc.content(b).id; });
  }

  [[nodiscard]] std::optional<std::uint32_t> find(const toc_view& toc, const content_id& id) const {
    const auto number = find_node(toc, node_of(id));
    return number && toc.content(*number).id == id ? number : std::nullopt;
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
  /// Of a name that was overwritten while it was read. Linear.
  [[nodiscard]] std::optional<std::uint32_t> find_torn(const toc_view& toc,
                                                       const looked_up_name& name) const {
    for (const auto number : sorted_)
      if (name.could_be(toc.content(number).id)) return number;
    return std::nullopt;
  }
  [[nodiscard]] inode_number inode_of(std::uint32_t content) const { return inodes_[content]; }

 private:
  std::vector<inode_number> inodes_;   // by content number
  std::vector<std::uint32_t> sorted_;  // content numbers by content id
};

result<void> content_directory::join(std::shared_ptr<const content_member> member) {
  const auto& toc = member->image.toc;
  std::shared_ptr<const toc_contents> contents;
  std::unique_lock lock(mutex_);
  for (const auto& known : entries_) {
    if (known.member->image.toc == toc) {
      contents = known.contents;
    } else if (known.member->toc != member->toc && mark_of(known.member->toc) == mark_of(member->toc)) {
      return fail(errc::busy, "another mounted image has the same 30 bits of id; mount in mode overlay");
    }
  }
  if (contents == nullptr) {
    lock.unlock();
    contents = std::make_shared<const toc_contents>(*toc);
    lock.lock();
  }
  entries_.push_back({std::move(member), std::move(contents)});
  return {};
}

void content_directory::learn(const content_member* member) {
  const auto& toc = member->image.toc;
  const auto contents = std::make_shared<const toc_contents>(*toc);
  const std::unique_lock lock(mutex_);
  for (auto& known : entries_)
    if (known.member->image.toc == toc) known.contents = contents;
}

void content_directory::leave(const content_member* member) {
  const std::unique_lock lock(mutex_);
  std::erase_if(entries_, [member](const entry& one) { return one.member.get() == member; });
}

template <class Look>
std::optional<content_directory::found> content_directory::first_of(Look look) const {
  const std::shared_lock lock(mutex_);
  std::optional<found> first;
  for (const auto& [member, contents] : entries_) {
    const auto& image = member->image;
    const bool recorded = image.recorder && image.recorder->active();
    if (first && !recorded) continue;
    const auto number = look(*contents, *member);
    if (!number) continue;
    first = found{member, *number, contents->inode_of(*number), image.toc->content_size(*number),
                  image.toc->contents_known() ? node_of(image.toc->content(*number).id) : 0};
    if (recorded) break;
  }
  return first;
}

std::optional<content_directory::found> content_directory::find(const looked_up_name& name) const {
  if (const auto id = name.id())
    return first_of([&](const toc_contents& contents, const content_member& member) {
      return contents.find(*member.image.toc, *id);
    });
  if (const auto early = name.early()) return find_early(*early);
  if (!name.valid()) return std::nullopt;
  return first_of([&](const toc_contents& contents, const content_member& member) {
    return contents.find_torn(*member.image.toc, name);
  });
}

std::optional<content_directory::found> content_directory::find_early(const early_content& content) const {
  auto early = first_of([&](const toc_contents&, const content_member& member) {
    const bool has =
        mark_of(member.toc) == content.toc_mark && content.content < member.image.toc->content_count();
    return has ? std::optional(content.content) : std::nullopt;
  });
  if (early) early->node = node_of(content);
  return early;
}

std::optional<content_directory::found> content_directory::find_node(std::uint64_t node) const {
  if ((node & id_bit) == 0) {
    if ((node & early_bit) == 0) return std::nullopt;
    return find_early(
        {static_cast<std::uint32_t>((node ^ early_bit) >> 32U), static_cast<std::uint32_t>(node)});
  }
  return first_of([&](const toc_contents& contents, const content_member& member) {
    return contents.find_node(*member.image.toc, node);
  });
}

}  // namespace firstlight
