#include "model/merkle.hpp"

#include <algorithm>

namespace firstlight {
namespace {

/// The shape of a tree over `leaves` leaves, and the nodes in it by their lowest name.
struct shape {
  std::uint32_t leaves;

  [[nodiscard]] std::uint64_t count(unsigned level) const {
    return (std::uint64_t{leaves} + (std::uint64_t{1} << level) - 1) >> level;
  }
  [[nodiscard]] merkle_position lowest(merkle_position at) const {
    while (at.level > 0 && std::uint64_t{at.index} * 2 + 1 >= count(at.level - 1U))
      at = {static_cast<std::uint8_t>(at.level - 1), at.index * 2};
    return at;
  }
  [[nodiscard]] merkle_position root() const {
    std::uint8_t level = 0;
    while (count(level) > 1) ++level;
    return lowest({level, 0});
  }
  [[nodiscard]] merkle_position left(merkle_position at) const {
    return lowest({static_cast<std::uint8_t>(at.level - 1), at.index * 2});
  }
  [[nodiscard]] merkle_position right(merkle_position at) const {
    return lowest({static_cast<std::uint8_t>(at.level - 1), at.index * 2 + 1});
  }
  [[nodiscard]] std::uint64_t begin(merkle_position at) const { return std::uint64_t{at.index} << at.level; }
  [[nodiscard]] std::uint64_t end(merkle_position at) const {
    return std::min<std::uint64_t>(leaves, (std::uint64_t{at.index} + 1) << at.level);
  }
};

std::uint64_t pack(merkle_position at) {
  return std::uint64_t{at.level} << 32U | at.index;
}

enum class overlap : std::uint8_t { none, some, all };

/// How [begin, end) lies to ascending runs, given a way to read a run's ends.
template <class Runs, class Count>
overlap overlap_with(const Runs& runs, std::uint64_t begin, std::uint64_t end, Count count) {
  auto run = std::partition_point(runs.begin(), runs.end(), [&](const auto& each) {
    return std::uint64_t{each.first} + count(each) <= begin;
  });
  if (run == runs.end() || run->first >= end) return overlap::none;
  return run->first <= begin && std::uint64_t{run->first} + count(*run) >= end ? overlap::all : overlap::some;
}

/// Collects the positions of a proof.
struct prover {
  shape tree;
  std::span<const block_run> runs;
  const known_node& known;
  std::vector<merkle_position> needed;

  [[nodiscard]] overlap over(merkle_position at) const {
    return overlap_with(runs, tree.begin(at), tree.end(at), [](const block_run& run) { return run.count; });
  }
  void from_known(merkle_position at) {
    if (at.level == 0 || over(at) == overlap::none) return;
    const auto left = tree.left(at);
    const auto right = tree.right(at);
    if (!known || !known(left) || !known(right)) return from_below(at);
    from_known(left);
    from_known(right);
  }
  void from_below(merkle_position at) {
    const auto how = over(at);
    if (how == overlap::none) return needed.push_back(at);
    if (how == overlap::all) return;
    from_below(tree.left(at));
    from_below(tree.right(at));
  }
};

bool any_of_blocks(const block_set& set, std::uint64_t begin, std::uint64_t end) {
  const auto words = set.words();
  for (auto block = begin; block < end;) {
    const auto word = block / 64;
    if (word >= words.size()) return false;
    const auto stop = std::min<std::uint64_t>(end, (word + 1) * 64);
    const auto from = ~std::uint64_t{0} << (block % 64);
    const auto to = stop % 64 == 0 ? ~std::uint64_t{0} : (std::uint64_t{1} << (stop % 64)) - 1;
    if ((words[word] & from & to) != 0) return true;
    block = stop;
  }
  return false;
}

std::vector<digest> level_above(const merkle_hasher& hasher, const std::vector<digest>& level) {
  std::vector<digest> above;
  above.reserve((level.size() + 1) / 2);
  for (std::size_t i = 0; i + 1 < level.size(); i += 2) above.push_back(hasher.node(level[i], level[i + 1]));
  if (level.size() % 2 == 1) above.push_back(level.back());
  return above;
}

}  // namespace

merkle_tree::merkle_tree(const merkle_hasher& hasher, std::vector<digest> leaves) {
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) levels_.push_back(level_above(hasher, levels_.back()));
}

std::vector<merkle_node> merkle_tree::nodes(std::span<const merkle_position> positions) const {
  std::vector<merkle_node> nodes;
  nodes.reserve(positions.size());
  for (const auto& position : positions) nodes.push_back({position.level, position.index, at(position)});
  return nodes;
}

digest merkle_root(const merkle_hasher& hasher, std::vector<digest> leaves) {
  while (leaves.size() > 1) leaves = level_above(hasher, leaves);
  return leaves.front();
}

known_node known_from(const block_set& verified) {
  return [&verified, tree = shape{verified.blocks()}](merkle_position at) {
    // Up to the level at which the node has a sibling, and one more.
    while (std::uint64_t{at.index ^ 1U} >= tree.count(at.level)) {
      if (tree.count(at.level) <= 1) return true;  // the root
      at = {static_cast<std::uint8_t>(at.level + 1), at.index / 2};
    }
    const merkle_position parent{static_cast<std::uint8_t>(at.level + 1), at.index / 2};
    return any_of_blocks(verified, tree.begin(parent), tree.end(parent));
  };
}

std::vector<merkle_position> proof_for(std::uint32_t leaf_count, std::span<const block_run> runs,
                                       const known_node& known) {
  prover search{{leaf_count}, runs, known, {}};
  search.from_known(search.tree.root());
  return std::move(search.needed);
}

std::vector<merkle_position> proof_for(std::uint32_t leaf_count, std::uint32_t first, std::uint32_t count,
                                       const known_node& known) {
  const block_run run{0, first, count};
  return proof_for(leaf_count, std::span(&run, 1), known);
}

struct merkle_verifier::pass {
  merkle_verifier& self;
  shape tree;
  std::span<const leaf_run> runs;
  struct given {
    digest hash;
    bool used = false;
  };
  std::unordered_map<std::uint64_t, given> proof;
  std::vector<std::pair<std::uint64_t, trusted_node>> learned;
  bool learning = true;

  [[nodiscard]] overlap over(merkle_position at) const {
    return overlap_with(runs, tree.begin(at), tree.end(at),
                        [](const leaf_run& run) { return run.hashes.size(); });
  }
  [[nodiscard]] const digest& leaf(std::uint32_t index) const {
    const auto run = std::partition_point(runs.begin(), runs.end(), [&](const leaf_run& each) {
      return std::uint64_t{each.first} + each.hashes.size() <= index;
    });
    return run->hashes[index - run->first];
  }
  [[nodiscard]] result<void> load(std::span<const merkle_node> nodes) {
    for (const auto& node : nodes)
      if (!proof.try_emplace(pack({node.level, node.index}), given{node.hash}).second)
        return fail(errc::corrupt, "a proof names the same node twice");
    return {};
  }
  [[nodiscard]] result<void> check_runs() const {
    std::uint64_t next = 0;
    for (const auto& run : runs) {
      if (run.hashes.empty() || run.first < next || run.first + run.hashes.size() > tree.leaves)
        return fail(errc::corrupt, "runs are empty, overlap or lie outside their content");
      next = run.first + run.hashes.size();
    }
    return {};
  }
  [[nodiscard]] result<void> check_all_used() const {
    for (const auto& [position, node] : proof)
      if (!node.used) return fail(errc::corrupt, "a proof carries a node that it does not need");
    return {};
  }
  [[nodiscard]] static tl::unexpected<error> wrong() {
    return fail(errc::corrupt, "blocks do not match the root of their content");
  }

  /// `at` is trusted: checks what the runs and the proof say about it.
  result<void> check(merkle_position at, const trusted_node& trusted) {
    if (over(at) == overlap::none) return check_repeated(at, trusted);
    if (at.level == 0) return leaf(at.index) == trusted.hash ? result<void>{} : wrong();
    const auto left = self.trusted_.find(pack(tree.left(at)));
    const auto right = self.trusted_.find(pack(tree.right(at)));
    if (left != self.trusted_.end() && right != self.trusted_.end()) {
      if (auto done = check(tree.left(at), left->second); !done) return done;
      return check(tree.right(at), right->second);
    }
    learning = !trusted.verified_below;
    auto computed = compute(at);
    if (!computed) return tl::make_unexpected(std::move(computed).error());
    return *computed == trusted.hash ? result<void>{} : wrong();
  }
  /// A sender that did not know of our knowledge may repeat a node, but not change it.
  result<void> check_repeated(merkle_position at, const trusted_node& trusted) {
    const auto found = proof.find(pack(at));
    if (found == proof.end()) return {};
    found->second.used = true;
    return found->second.hash == trusted.hash ? result<void>{} : wrong();
  }
  result<digest> compute(merkle_position at) {
    const auto how = over(at);
    if (how == overlap::none) return take(at);
    if (at.level == 0) return leaf(at.index);
    auto left = compute(tree.left(at));
    if (!left) return left;
    auto right = compute(tree.right(at));
    if (!right) return right;
    if (learning && how != overlap::all) {
      learn(tree.left(at), *left);
      learn(tree.right(at), *right);
    }
    return self.hasher_.node(*left, *right);
  }
  result<digest> take(merkle_position at) {
    const auto found = proof.find(pack(at));
    if (found == proof.end()) return fail(errc::not_ready, "a tree node is neither in the proof nor known");
    found->second.used = true;
    return found->second.hash;
  }
  void learn(merkle_position at, const digest& hash) {
    learned.emplace_back(pack(at), trusted_node{hash, over(at) == overlap::all});
  }
  void keep() {
    if (self.trusted_.size() + learned.size() <= self.nodes_max_)
      self.trusted_.insert(learned.begin(), learned.end());
    settle(tree.root());
  }
  /// Marks what has been verified wholly and forgets the nodes below it.
  bool settle(merkle_position at) {
    auto& node = self.trusted_.at(pack(at));
    const auto how = over(at);
    if (node.verified_below || how == overlap::none) return node.verified_below;
    if (at.level == 0 || !self.trusted_.contains(pack(tree.left(at)))) {
      node.verified_below = how == overlap::all;
      return node.verified_below;
    }
    const bool left = settle(tree.left(at));
    const bool right = settle(tree.right(at));
    if (!left || !right) return false;
    self.trusted_.erase(pack(tree.left(at)));
    self.trusted_.erase(pack(tree.right(at)));
    return node.verified_below = true;
  }
};

merkle_verifier::merkle_verifier(const merkle_hasher& hasher, const digest& root, std::uint32_t leaf_count,
                                 std::uint32_t nodes_max)
    : hasher_(hasher), leaf_count_(leaf_count), nodes_max_(nodes_max) {
  trusted_.emplace(pack(shape{leaf_count}.root()), trusted_node{root});
}

result<void> merkle_verifier::accept(std::span<const leaf_run> runs, std::span<const merkle_node> proof) {
  pass work{*this, {leaf_count_}, runs, {}, {}};
  if (auto done = work.check_runs(); !done) return done;
  if (auto done = work.load(proof); !done) return done;
  const auto root = work.tree.root();
  if (auto done = work.check(root, trusted_.at(pack(root))); !done) return done;
  if (auto done = work.check_all_used(); !done) return done;
  work.keep();
  return {};
}

result<void> merkle_verifier::accept(std::uint32_t first, std::span<const digest> hashes,
                                     std::span<const merkle_node> proof) {
  const leaf_run run{first, hashes};
  return accept(std::span(&run, 1), proof);
}

}  // namespace firstlight
