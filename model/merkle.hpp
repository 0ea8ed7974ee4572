#pragma once
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/blocks.hpp"
#include "model/transfer.hpp"

namespace firstlight {

/// The hash functions of the tree, handed in because the model computes no SHA-256 itself.
/// `leaf` is H(0x00 || block), `node` is H(0x01 || left || right) (storage/sha256.hpp has them).
struct merkle_hasher {
  digest (*leaf)(bytes_view block) = nullptr;
  digest (*node)(const digest& left, const digest& right) = nullptr;
};

/// Where a node stands: `level` 0 holds the leaves. A last node without a sibling is promoted
/// unchanged and is named by the lowest level at which it stands, so each node has one name.
struct merkle_position {
  std::uint8_t level = 0;
  std::uint32_t index = 0;
  friend auto operator<=>(const merkle_position&, const merkle_position&) = default;
};

/// All nodes over the leaves of one content (the structure of RFC 6962). Costs 64 bytes a leaf.
class merkle_tree {
 public:
  /// `leaves` is not empty.
  merkle_tree(const merkle_hasher& hasher, std::vector<digest> leaves);

  [[nodiscard]] const digest& root() const { return levels_.back().front(); }
  [[nodiscard]] std::uint32_t leaf_count() const {
    return static_cast<std::uint32_t>(levels_.front().size());
  }
  /// `position` lies in the tree.
  [[nodiscard]] const digest& at(merkle_position position) const {
    return levels_[position.level][position.index];
  }
  /// The nodes at `positions`, as a proof carries them.
  [[nodiscard]] std::vector<merkle_node> nodes(std::span<const merkle_position> positions) const;

 private:
  std::vector<std::vector<digest>> levels_;
};

/// The root over `leaves` (not empty), in memory for one level only.
[[nodiscard]] digest merkle_root(const merkle_hasher& hasher, std::vector<digest> leaves);

/// Whether the receiver knows a node already.
using known_node = std::function<bool(merkle_position)>;

/// What a receiver knows that has verified the blocks in `verified` of the same content: every node
/// whose parent has one of them below. `verified` must outlive the result.
[[nodiscard]] known_node known_from(const block_set& verified);

/// Which nodes a receiver needs to verify `runs` (ascending, apart, inside the content; their
/// `content` is not looked at) of a content of `leaf_count` blocks: the siblings that follow neither
/// from the runs nor from what is known. Ordered by the blocks that they cover.
[[nodiscard]] std::vector<merkle_position> proof_for(std::uint32_t leaf_count,
                                                     std::span<const block_run> runs,
                                                     const known_node& known = {});
/// The same for one run.
[[nodiscard]] std::vector<merkle_position> proof_for(std::uint32_t leaf_count, std::uint32_t first,
                                                     std::uint32_t count, const known_node& known = {});

/// The leaf hashes of blocks [first, first + hashes.size()) as computed over what arrived.
struct leaf_run {
  std::uint32_t first = 0;
  std::span<const digest> hashes;
};

/// Receiver's side: verifies blocks of one content against its root and remembers verified nodes, so
/// that later proofs can be shorter. Forgets what lies below wholly verified subtrees, and remembers
/// at most `nodes_max` nodes beside the root. A value; not thread-safe.
class merkle_verifier {
 public:
  /// `leaf_count` is at least 1 and comes, like the root, from a verified TOC.
  merkle_verifier(const merkle_hasher& hasher, const digest& root, std::uint32_t leaf_count,
                  std::uint32_t nodes_max);

  /// Verifies all runs together (ascending, apart). Nothing is remembered on error.
  /// Errors: `corrupt` when a block or node is wrong, superfluous or outside the content;
  /// `not_ready` when neither the proof nor earlier runs carry a node that is needed: ask again
  /// with a whole proof.
  result<void> accept(std::span<const leaf_run> runs, std::span<const merkle_node> proof);
  result<void> accept(std::uint32_t first, std::span<const digest> hashes,
                      std::span<const merkle_node> proof);

  /// Nodes remembered now.
  [[nodiscard]] std::size_t nodes_known() const { return trusted_.size(); }

 private:
  struct trusted_node {
    digest hash;
    bool verified_below = false;  // every block below has been accepted
  };
  struct pass;  // one call of accept

  merkle_hasher hasher_;
  std::uint32_t leaf_count_;
  std::uint32_t nodes_max_;
  std::unordered_map<std::uint64_t, trusted_node>
      trusted_;  // by packed position; closed: both children or none
};

}  // namespace firstlight
