#include "storage/segment_reader.hpp"

#include <algorithm>
#include <map>

#include "storage/read_content.hpp"
#include "storage/sha256.hpp"
#include "storage/zstd.hpp"

namespace firstlight {
namespace {

std::span<const merkle_node> proof_of(const segment& arrived, std::uint32_t content) {
  for (const auto& proof : arrived.proofs)
    if (proof.content == content) return proof.nodes;
  return {};
}

/// Each content of the segment has at most one proof, and proofs are of no other content.
result<void> check_proofs(const segment& arrived, const segment_limits& limits) {
  std::vector<std::uint32_t> contents;
  for (const auto& run : arrived.runs) contents.push_back(run.content);
  std::sort(contents.begin(), contents.end());
  std::size_t nodes = 0;
  std::vector<std::uint32_t> proven;
  for (const auto& proof : arrived.proofs) {
    nodes += proof.nodes.size();
    if (!std::binary_search(contents.begin(), contents.end(), proof.content))
      return fail(errc::corrupt, "a segment proves a content that it does not carry");
    proven.push_back(proof.content);
  }
  if (nodes > limits.proof_nodes_max)
    return fail(errc::limit_exceeded, "a segment carries too many tree nodes");
  std::sort(proven.begin(), proven.end());
  if (std::adjacent_find(proven.begin(), proven.end()) != proven.end())
    return fail(errc::corrupt, "a segment proves a content twice");
  return {};
}

result<void> check_no_repeats(std::vector<block_run> runs) {
  std::sort(runs.begin(), runs.end());
  for (std::size_t i = 1; i < runs.size(); ++i)
    if (runs[i].content == runs[i - 1].content && runs[i].first < runs[i - 1].first + runs[i - 1].count)
      return fail(errc::corrupt, "a segment carries a block twice");
  return {};
}

}  // namespace

segment_reader::segment_reader(content_store& contents, std::shared_ptr<const toc_view> toc,
                               const segment_limits& limits)
    : contents_(contents), toc_(std::move(toc)), limits_(limits) {}

result<segment_outcome> segment_reader::read(const segment& arrived) {
  if (auto checked = check(arrived); !checked) return tl::make_unexpected(checked.error());
  const auto bytes = unpack(arrived);
  if (!bytes) return tl::make_unexpected(bytes.error());

  std::map<std::uint32_t, std::vector<piece>> by_content;
  for (const auto& each : split(arrived, *bytes)) by_content[each.run.content].push_back(each);
  segment_outcome outcome;
  for (auto& [index, pieces] : by_content) {
    std::sort(pieces.begin(), pieces.end(), [](const piece& a, const piece& b) { return a.run < b.run; });
    const auto content = toc_->content(index);
    if (const auto verified = verify(content, pieces, proof_of(arrived, index), index); verified)
      store(content, pieces, outcome);
    else
      for (const auto& each : pieces) outcome.failed.push_back({each.run, verified.error()});
  }
  return outcome;
}

result<void> segment_reader::check(const segment& arrived) const {
  if (arrived.bytes > limits_.segment_bytes_max || arrived.runs.size() > limits_.segment_runs_max)
    return fail(errc::limit_exceeded, "a segment is larger than agreed");
  const auto geometry = toc_->geometry();
  std::uint64_t bytes = 0;
  for (const auto& run : arrived.runs) {
    if (run.content >= toc_->content_count())
      return fail(errc::corrupt, "a segment names an unknown content");
    const auto size = toc_->content_size(run.content);
    if (run.count == 0 || std::uint64_t{run.first} + run.count > geometry.count(size))
      return fail(errc::corrupt, "a run lies outside its content");
    bytes += geometry.length(size, run.first, run.count);
  }
  if (bytes != arrived.bytes) return fail(errc::corrupt, "a segment has a wrong total");
  if (auto repeats = check_no_repeats(arrived.runs); !repeats) return repeats;
  return check_proofs(arrived, limits_);
}

result<std::vector<std::byte>> segment_reader::unpack(const segment& arrived) const {
  if (!arrived.patch_base) return decompress(arrived.frame.bytes, arrived.bytes);
  if (contents_.state(arrived.patch_base->id) != content_state::complete)
    return fail(errc::not_ready, "the base of a patch is not here");
  const auto base = read_content(contents_, *arrived.patch_base, limits_.patch_base_bytes_max);
  if (!base) return tl::make_unexpected(base.error());
  return decompress_patch(arrived.frame.bytes, *base, arrived.bytes);
}

std::vector<segment_reader::piece> segment_reader::split(const segment& arrived, bytes_view bytes) const {
  std::vector<piece> pieces;
  pieces.reserve(arrived.runs.size());
  for (const auto& run : arrived.runs) {
    const auto length = toc_->geometry().length(toc_->content_size(run.content), run.first, run.count);
    pieces.push_back({run, bytes.first(length)});
    bytes = bytes.subspan(length);
  }
  return pieces;
}

result<void> segment_reader::verify(const content_info& content, std::span<const piece> pieces,
                                    std::span<const merkle_node> proof, std::uint32_t index) {
  const auto hasher = sha256_merkle();
  const std::size_t block = toc_->block_bytes();
  std::vector<std::vector<digest>> hashes;
  std::vector<leaf_run> leaves;
  for (const auto& each : pieces) {
    auto& own = hashes.emplace_back();
    for (std::size_t at = 0; at < each.bytes.size(); at += block)
      own.push_back(hasher.leaf(each.bytes.subspan(at, std::min(block, each.bytes.size() - at))));
    leaves.push_back({each.run.first, own});
  }
  const auto count = toc_->geometry().count(content.size);
  const std::scoped_lock guard(lock_);
  auto known = verifiers_.find(index);
  if (known != verifiers_.end()) return known->second.accept(leaves, proof);
  merkle_verifier fresh(hasher, content.id.root, count, limits_.verifier_nodes_max);
  auto accepted = fresh.accept(leaves, proof);
  if (accepted && fresh.nodes_known() > 1) verifiers_.emplace(index, std::move(fresh));
  return accepted;
}

void segment_reader::store(const content_info& content, std::span<const piece> pieces,
                           segment_outcome& outcome) {
  for (const auto& each : pieces) {
    const auto written = contents_.write(content, each.run.first, each.bytes);
    if (!written) {
      outcome.failed.push_back({each.run, written.error()});
      continue;
    }
    outcome.stored.push_back(each.run);
    if (*written != content_state::complete) continue;
    const std::scoped_lock guard(lock_);
    verifiers_.erase(each.run.content);
  }
}

}  // namespace firstlight
