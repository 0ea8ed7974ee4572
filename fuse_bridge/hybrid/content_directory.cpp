#include "fuse_bridge/hybrid/content_directory.hpp"

#include <algorithm>
#include <mutex>
#include <numeric>

#include "fuse_bridge/hybrid/content_node.hpp"

namespace firstlight {

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
    const auto number = find_node(toc, content_node::of(id));
    return number && toc.content(*number).id == id ? number : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint32_t> find_node(const toc_view& toc, std::uint64_t node) const {
    const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), node,
                                     [&](std::uint32_t number, std::uint64_t wanted) {
                                       return content_node::of(toc.content(number).id) < wanted;
                                     });
    if (at == sorted_.end() || content_node::of(toc.content(*at).id) != node) return std::nullopt;
    const auto next = std::next(at);
    if (next != sorted_.end() && content_node::of(toc.content(*next).id) == node)
      return std::nullopt;  // ambiguous
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

bool content_directory::has(const toc_id& toc) const {
  const std::shared_lock lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const entry& one) { return one.member->toc == toc; });
}

/// The members that have one content: all that are recorded, the one that serves it, and whether others do.
class content_directory::holders {
 public:
  [[nodiscard]] bool need(const content_member& member) const {
    const bool only_one =
        all_.size() == 1 && all_.front().recorded;  // and it must be known whether others do
    return !serves_ || *serves_->member->given_up || only_one || is_recorded(member);
  }
  void add(found has) {
    const auto& recorder = has.member->image.recorder;
    const bool recorded = is_recorded(*has.member);
    all_.push_back({recorded, recorded && recorder->follows_opens()});
    notes_.push_back({recorder, has.content, read_claim::none});
    if (!serves_ || *serves_->member->given_up || (recorded && !recorded_)) serves_ = std::move(has);
    recorded_ = recorded_ || recorded;
  }
  [[nodiscard]] std::optional<found> take() {
    if (!serves_ || !recorded_) return std::move(serves_);
    const auto claims = claims_of(all_);
    for (std::size_t i = 0; i < claims.size(); ++i) {
      if (claims[i] == read_claim::none) continue;
      notes_[i].claim = claims[i];
      serves_->notes.push_back(std::move(notes_[i]));
    }
    return std::move(serves_);
  }

 private:
  [[nodiscard]] static bool is_recorded(const content_member& member) {
    const auto& recorder = member.image.recorder;
    return !*member.given_up && recorder && recorder->active();
  }

  std::optional<found> serves_;
  bool recorded_ = false;  ///< one of them
  std::vector<content_holder> all_;
  read_notes notes_;  ///< one for each
};

template <class Look>
std::optional<content_directory::found> content_directory::first_of(Look look) const {
  const std::shared_lock lock(mutex_);
  holders all;
  for (const auto& [member, contents] : entries_) {
    if (!all.need(*member)) continue;
    const auto number = look(*contents, *member);
    if (!number) continue;
    const auto& toc = *member->image.toc;
    all.add({member, *number, contents->inode_of(*number), toc.content_size(*number),
             toc.contents_known() ? content_node::of(toc.content(*number).id) : 0});
  }
  return all.take();
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
  if (early) early->node = content_node::of(content);
  return early;
}

std::optional<content_directory::found> content_directory::find_node(std::uint64_t node) const {
  if (const auto early = content_node::early(node)) return find_early(*early);
  if (!content_node::says_id(node)) return std::nullopt;
  return first_of([&](const toc_contents& contents, const content_member& member) {
    return contents.find_node(*member.image.toc, node);
  });
}

}  // namespace firstlight
