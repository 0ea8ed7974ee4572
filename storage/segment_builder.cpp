#include "storage/segment_builder.hpp"

#include <algorithm>
#include <map>

#include "storage/read_content.hpp"
#include "storage/sha256.hpp"
#include "storage/zstd.hpp"

namespace firstlight {
namespace {

template <class Integer>
void hash_integer(sha256_stream& into, Integer value) {
  std::array<std::byte, sizeof(Integer)> bytes{};
  for (auto& byte : bytes) {
    byte = static_cast<std::byte>(value & 0xffU);
    value = static_cast<Integer>(value >> 8U);
  }
  into.update(bytes);
}

void hash_content(sha256_stream& into, const content_info& content) {
  into.update(content.id.root.bytes);
  hash_integer(into, content.size);
}

/// The runs of each content, ascending.
std::map<std::uint32_t, std::vector<block_run>> by_content(std::span<const block_run> runs) {
  std::map<std::uint32_t, std::vector<block_run>> grouped;
  for (const auto& run : runs) grouped[run.content].push_back(run);
  for (auto& [content, own] : grouped) std::sort(own.begin(), own.end());
  return grouped;
}

}  // namespace

segment_builder::segment_builder(content_store& contents, segment_cache* cache, block_geometry geometry,
                                 const segment_limits& limits)
    : contents_(contents), cache_(cache), geometry_(geometry), limits_(limits) {}

result<segment> segment_builder::build(std::uint32_t sequence, const planned_segment& planned,
                                       std::span<const content_info> contents,
                                       const verified_blocks& verified) {
  if (auto checked = check(planned, contents); !checked) return tl::make_unexpected(checked.error());
  segment built;
  built.sequence = sequence;
  built.runs = planned.runs;
  built.bytes = planned.bytes;
  built.patch_base = planned.patch_base;
  auto proofs = prove(planned, contents, verified);
  if (!proofs) return tl::make_unexpected(proofs.error());
  built.proofs = std::move(*proofs);
  auto frame = frame_of(planned, contents);
  if (!frame) return tl::make_unexpected(frame.error());
  built.frame = std::move(*frame);
  return built;
}

result<shared_bytes> segment_builder::frame_of(const planned_segment& planned,
                                               std::span<const content_info> contents) {
  const auto build = [&] { return pack(planned, contents, density::plain); };
  if (cache_ == nullptr) return build().map([](auto&& frame) { return share(std::move(frame)); });
  if (limits_.dense_level > 0)
    if (auto dense = cache_->find(cache_key(planned, contents, density::dense))) return std::move(*dense);
  return cache_->get_or_build(cache_key(planned, contents, density::plain), build);
}

result<bool> segment_builder::pack_densely(const planned_segment& planned,
                                           std::span<const content_info> contents) {
  if (auto checked = check(planned, contents); !checked) return tl::make_unexpected(checked.error());
  if (cache_ == nullptr || limits_.dense_level == 0) return false;
  const auto key = cache_key(planned, contents, density::dense);
  if (cache_->size_of(key) || is_known_not_to_pay(key)) return false;
  const auto frame = pack(planned, contents, density::dense);
  if (!frame) return tl::make_unexpected(frame.error());
  const auto plain = cache_->size_of(cache_key(planned, contents, density::plain));
  if (plain && *plain <= frame->size()) {
    note_not_paying(key);
    return false;
  }
  return cache_->put(key, *frame).map([] { return true; });
}

bool segment_builder::is_known_not_to_pay(const digest& key) {
  const std::scoped_lock guard(not_paying_lock_);
  return not_paying_.contains(key);
}

void segment_builder::note_not_paying(const digest& key) {
  const std::scoped_lock guard(not_paying_lock_);
  if (not_paying_.size() >= limits_.not_paying_max) not_paying_.clear();
  not_paying_.insert(key);
}

void segment_builder::distrust(const planned_segment& planned, std::span<const content_info> contents) {
  if (cache_ == nullptr) return;
  for (const auto how : {density::plain, density::dense}) cache_->forget(cache_key(planned, contents, how));
}

int segment_builder::level(const planned_segment& planned, density how) const {
  if (how == density::dense) return static_cast<int>(limits_.dense_level);
  return planned.patch_base ? limits_.patch_level : limits_.compression_level;
}

result<void> segment_builder::check(const planned_segment& planned,
                                    std::span<const content_info> contents) const {
  std::uint64_t bytes = 0;
  for (const auto& run : planned.runs) {
    if (run.content >= contents.size() || run.count == 0 ||
        std::uint64_t{run.first} + run.count > geometry_.count(contents[run.content].size))
      return fail(errc::invalid_argument, "a planned run lies outside its content");
    bytes += geometry_.length(contents[run.content].size, run.first, run.count);
  }
  if (bytes != planned.bytes) return fail(errc::invalid_argument, "a planned segment has a wrong total");
  if (bytes > limits_.segment_bytes_max || planned.runs.size() > limits_.segment_runs_max)
    return fail(errc::limit_exceeded, "a planned segment is too large");
  return {};
}

digest segment_builder::cache_key(const planned_segment& planned, std::span<const content_info> contents,
                                  density how) const {
  sha256_stream key;
  hash_integer(key, geometry_.block_bytes);
  hash_integer(key, static_cast<std::uint32_t>(level(planned, how)));
  if (how == density::dense) hash_integer(key, ~std::uint32_t{0});  // apart from plain ones of that level
  for (const auto& run : planned.runs) {
    hash_content(key, contents[run.content]);
    hash_integer(key, run.first);
    hash_integer(key, run.count);
  }
  if (planned.patch_base) hash_content(key, *planned.patch_base);
  return key.finish();
}

result<std::vector<std::byte>> segment_builder::pack(const planned_segment& planned,
                                                     std::span<const content_info> contents,
                                                     density how) const {
  std::vector<std::byte> bytes(planned.bytes);
  std::span<std::byte> rest(bytes);
  for (const auto& run : planned.runs) {
    const auto& content = contents[run.content];
    const auto length = geometry_.length(content.size, run.first, run.count);
    const auto got = contents_.read(content, geometry_.offset(run.first), rest.first(length));
    if (!got) return tl::make_unexpected(got.error());
    rest = rest.subspan(length);
  }
  if (!planned.patch_base) return compress(bytes, level(planned, how));
  const auto base = read_content(contents_, *planned.patch_base, limits_.patch_base_bytes_max);
  if (!base) return tl::make_unexpected(base.error());
  return compress_patch(bytes, *base, level(planned, how));
}

result<std::vector<content_proof>> segment_builder::prove(const planned_segment& planned,
                                                          std::span<const content_info> contents,
                                                          const verified_blocks& verified) {
  std::vector<content_proof> proofs;
  for (const auto& [index, runs] : by_content(planned.runs)) {
    const auto leaves = geometry_.count(contents[index].size);
    const auto* there = verified ? verified(index) : nullptr;
    const auto positions = proof_for(leaves, runs, there != nullptr ? known_from(*there) : known_node{});
    if (positions.empty()) continue;
    const auto tree = tree_of(contents[index]);
    if (!tree) return tl::make_unexpected(tree.error());
    proofs.push_back({index, (*tree)->nodes(positions)});
  }
  return proofs;
}

result<std::shared_ptr<const merkle_tree>> segment_builder::tree_of(const content_info& content) {
  {
    const std::scoped_lock guard(trees_lock_);
    const auto found =
        std::find_if(trees_.begin(), trees_.end(), [&](const auto& each) { return each.id == content.id; });
    if (found != trees_.end()) {
      trees_.splice(trees_.begin(), trees_, found);
      return found->tree;
    }
  }
  auto leaves = contents_.leaves(content);
  if (!leaves) return tl::make_unexpected(leaves.error());
  auto tree = std::make_shared<const merkle_tree>(sha256_merkle(), std::move(*leaves));
  const auto cost = [](const auto& of) { return std::uint64_t{of.leaf_count()} * 2 * sizeof(digest); };
  const std::scoped_lock guard(trees_lock_);
  trees_.push_front({content.id, tree});
  trees_bytes_ += cost(*tree);
  while (trees_bytes_ > limits_.tree_cache_bytes && trees_.size() > 1) {
    trees_bytes_ -= cost(*trees_.back().tree);
    trees_.pop_back();
  }
  return tree;
}

}  // namespace firstlight
