#include "model/merkle.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <cmath>

namespace firstlight {
namespace {

/// Not SHA-256, but like it in what counts here: different inputs give different digests.
digest mix(std::uint64_t seed, bytes_view bytes) {
  digest value;
  std::uint64_t state = seed;
  for (const auto byte : bytes)
    state = (state ^ std::to_integer<std::uint64_t>(byte)) * 0x9e3779b97f4a7c15U + 1;
  for (std::size_t i = 0; i < value.bytes.size(); ++i) {
    state ^= state >> 29U;
    state = state * 0xbf58476d1ce4e5b9U + i;
    value.bytes[i] = static_cast<std::byte>(state >> 56U);
  }
  return value;
}
digest mix_leaf(bytes_view block) {
  return mix(1, block);
}
digest mix_node(const digest& left, const digest& right) {
  std::array<std::byte, 64> joined{};
  std::copy(left.bytes.begin(), left.bytes.end(), joined.begin());
  std::copy(right.bytes.begin(), right.bytes.end(), joined.begin() + 32);
  return mix(2, joined);
}
constexpr merkle_hasher test_hasher{mix_leaf, mix_node};

std::vector<digest> some_leaves(std::uint32_t count) {
  std::vector<digest> leaves;
  for (std::uint32_t i = 0; i < count; ++i) leaves.push_back(mix_leaf(std::as_bytes(std::span(&i, 1))));
  return leaves;
}

/// RFC 6962, section 2.1, word by word: split at the largest power of two below the count.
digest reference_root(std::span<const digest> leaves) {
  if (leaves.size() == 1) return leaves.front();
  std::size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return mix_node(reference_root(leaves.first(split)), reference_root(leaves.subspan(split)));
}

struct example {
  std::vector<digest> leaves;
  merkle_tree tree;
  explicit example(std::uint32_t count) : leaves(some_leaves(count)), tree(test_hasher, leaves) {}
  [[nodiscard]] merkle_verifier verifier(std::uint32_t nodes_max = 1'000'000) const {
    return {test_hasher, tree.root(), tree.leaf_count(), nodes_max};
  }
  [[nodiscard]] std::span<const digest> run(std::uint32_t first, std::uint32_t count) const {
    return std::span(leaves).subspan(first, count);
  }
};

/// Ascending runs that do not touch.
std::vector<block_run> random_runs(std::uint32_t leaves) {
  std::vector<block_run> runs;
  std::uint32_t at = *rc::gen::inRange<std::uint32_t>(0, leaves);
  while (at < leaves && runs.size() < 5) {
    const auto count = *rc::gen::inRange<std::uint32_t>(1, std::min(leaves - at, 9U) + 1);
    runs.push_back({0, at, count});
    at += count + *rc::gen::inRange<std::uint32_t>(1, 12);
  }
  return runs;
}
std::vector<leaf_run> with_hashes(const example& from, const std::vector<block_run>& runs) {
  std::vector<leaf_run> hashed;
  for (const auto& run : runs) hashed.push_back({run.first, from.run(run.first, run.count)});
  return hashed;
}

}  // namespace

TEST_CASE("the root of a tree is that of RFC 6962 for every number of leaves") {
  for (std::uint32_t count = 1; count <= 130; ++count) {
    const example from(count);
    CHECK(from.tree.root() == reference_root(from.leaves));
    CHECK(merkle_root(test_hasher, from.leaves) == from.tree.root());
  }
}

TEST_CASE("any runs of any tree verify with their proof") {
  CHECK(rc::check([] {
    const example from(*rc::gen::inRange<std::uint32_t>(1, 300));
    const auto runs = random_runs(from.tree.leaf_count());
    const auto proof = from.tree.nodes(proof_for(from.tree.leaf_count(), runs));
    RC_ASSERT(from.verifier().accept(with_hashes(from, runs), proof).has_value());
  }));
}

TEST_CASE("runs verify one after another with proofs that leave out what is known") {
  CHECK(rc::check([] {
    const example from(*rc::gen::inRange<std::uint32_t>(1, 300));
    auto verifier = from.verifier();
    block_set verified(from.tree.leaf_count());
    for (int round = 0; round < 6; ++round) {
      const auto runs = random_runs(from.tree.leaf_count());
      // Blocks that come again need a whole proof, because what lies below verified blocks is forgotten.
      const bool repeats = std::any_of(runs.begin(), runs.end(), [&](const block_run& run) {
        return verified.missing(0, run.first, run.count) != std::vector<block_run>{run};
      });
      const auto positions =
          proof_for(from.tree.leaf_count(), runs, repeats ? known_node{} : known_from(verified));
      RC_ASSERT(verifier.accept(with_hashes(from, runs), from.tree.nodes(positions)).has_value());
      for (const auto& run : runs) verified.insert(run.first, run.count);
    }
  }));
}

TEST_CASE("a flipped bit in a block or in a proof is refused and leaves no trace") {
  CHECK(rc::check([] {
    const example from(*rc::gen::inRange<std::uint32_t>(1, 200));
    const auto runs = random_runs(from.tree.leaf_count());
    auto proof = from.tree.nodes(proof_for(from.tree.leaf_count(), runs));
    auto hashed = with_hashes(from, runs);
    auto verifier = from.verifier();
    std::vector<digest> spoilt(hashed[0].hashes.begin(), hashed[0].hashes.end());
    auto& victim = proof.empty() || *rc::gen::arbitrary<bool>()
                       ? spoilt[*rc::gen::inRange<std::size_t>(0, spoilt.size())]
                       : proof[*rc::gen::inRange<std::size_t>(0, proof.size())].hash;
    victim.bytes[*rc::gen::inRange<std::size_t>(0, 32)] ^= std::byte{1} << *rc::gen::inRange(0, 8);
    hashed[0].hashes = spoilt;
    const auto accepted = verifier.accept(hashed, proof);
    RC_ASSERT(!accepted.has_value());
    RC_ASSERT(accepted.error().code == errc::corrupt);
    RC_ASSERT(verifier.nodes_known() == 1U);
  }));
}

TEST_CASE("a proof with a missing node is not ready, and with one too many is corrupt") {
  const example from(37);
  auto proof = from.tree.nodes(proof_for(37, 5, 3));
  REQUIRE(proof.size() > 2);
  auto shorter = proof;
  shorter.pop_back();
  CHECK(from.verifier().accept(5, from.run(5, 3), shorter).error().code == errc::not_ready);
  auto twice = proof;
  twice.push_back(twice.front());
  CHECK(from.verifier().accept(5, from.run(5, 3), twice).error().code == errc::corrupt);
  auto superfluous = proof;
  superfluous.push_back({0, 5, from.leaves[5]});
  CHECK(from.verifier().accept(5, from.run(5, 3), superfluous).error().code == errc::corrupt);
  auto outside = proof;
  outside.push_back({9, 1'000'000, {}});
  CHECK(from.verifier().accept(5, from.run(5, 3), outside).error().code == errc::corrupt);
}

TEST_CASE("runs that are empty, overlap or leave the content are refused") {
  const example from(10);
  CHECK(from.verifier().accept(9, from.run(0, 2), {}).error().code == errc::corrupt);
  CHECK(from.verifier().accept(0, {}, {}).error().code == errc::corrupt);
  const std::vector<leaf_run> overlapping{{0, from.run(0, 4)}, {3, from.run(3, 2)}};
  CHECK(from.verifier().accept(overlapping, {}).error().code == errc::corrupt);
}

TEST_CASE("a repeated node may not differ from what is known") {
  const example from(16);
  auto verifier = from.verifier();
  REQUIRE(verifier.accept(0, from.run(0, 1), from.tree.nodes(proof_for(16, 0, 1))));
  auto repeated = from.tree.nodes(proof_for(16, 15, 1));
  REQUIRE(verifier.accept(15, from.run(15, 1), repeated));
  auto forged = from.tree.nodes(proof_for(16, 8, 1));
  forged.front().hash.bytes[0] ^= std::byte{1};
  CHECK(verifier.accept(8, from.run(8, 1), forged).error().code == errc::corrupt);
}

TEST_CASE("a verifier forgets what lies below verified blocks and keeps its limit") {
  const example from(1000);
  auto verifier = from.verifier();
  block_set verified(1000);
  std::size_t most = 0;
  for (std::uint32_t first = 0; first < 1000; first += 10) {
    const auto proof = from.tree.nodes(proof_for(1000, first, 10, known_from(verified)));
    REQUIRE(verifier.accept(first, from.run(first, 10), proof));
    verified.insert(first, 10);
    most = std::max(most, verifier.nodes_known());
  }
  CHECK(verifier.nodes_known() == 1);
  CHECK(most < 40);

  auto small = from.verifier(/*nodes_max=*/4);
  REQUIRE(small.accept(500, from.run(500, 1), from.tree.nodes(proof_for(1000, 500, 1))));
  CHECK(small.nodes_known() <= 4);
  CHECK(small.accept(501, from.run(501, 1), from.tree.nodes(proof_for(1000, 501, 1))));
}

TEST_CASE("all proofs of a content together carry each node at most once") {
  CHECK(rc::check([] {
    const auto leaves = *rc::gen::inRange<std::uint32_t>(2, 400);
    block_set verified(leaves);
    std::size_t nodes = 0;
    while (!verified.complete()) {
      const auto first = *rc::gen::inRange<std::uint32_t>(0, leaves);
      const auto missing = verified.missing(0, first, 7);
      nodes += proof_for(leaves, missing, known_from(verified)).size();
      verified.insert(first, 7);
      for (std::uint32_t block = 0; block < leaves; ++block)
        if (!verified.contains(block)) {
          nodes += proof_for(leaves, block, 1, known_from(verified)).size();
          verified.insert(block, 1);
          break;
        }
    }
    RC_ASSERT(nodes < leaves);
  }));
}

TEST_CASE("a proof for one run has at most two nodes for each level") {
  CHECK(rc::check([] {
    const auto leaves = *rc::gen::inRange<std::uint32_t>(1, 100'000);
    const auto first = *rc::gen::inRange<std::uint32_t>(0, leaves);
    const auto count = *rc::gen::inRange<std::uint32_t>(1, leaves - first + 1);
    const auto levels = std::ceil(std::log2(static_cast<double>(leaves)));
    RC_ASSERT(static_cast<double>(proof_for(leaves, first, count).size()) <= 2 * levels);
  }));
}

}  // namespace firstlight
