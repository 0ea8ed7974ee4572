#include "model/plan.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

#include "model/runs.hpp"

namespace firstlight {
namespace {

constexpr std::uint64_t smallest_size_class_bytes = 64 * 1024;

/// Walks all blocks of the image in order and cuts them into segments, then leaves out what the node has.
class planner {
 public:
  explicit planner(const plan_request& request) : request_(request) {
    for (const auto& patch : request.patches) {
      assert(patch.content < request.contents.size());
      patched_.emplace(patch.content, patched{patch.base, {}});
    }
  }

  bundle_plan make() {
    const auto& order = request_.order;
    for (std::size_t i = 0; i < order.runs.size(); ++i) {
      if (i == order.guessed_runs) pass(landmark::guessed);
      expected_ = expected(i);
      mention(order.runs[i]);
    }
    if (order.guessed_runs >= order.runs.size()) pass(landmark::guessed);
    expected_ = never_expected;
    for (const auto content : touched_) mention(whole(content));
    for (const auto content : untouched()) place(whole(content));
    pass(landmark::complete);
    return std::move(plan_);
  }

 private:
  struct patched {
    content_info base;
    block_set planned_pieces;
  };

  [[nodiscard]] std::uint64_t size(std::uint32_t content) const { return request_.contents[content].size; }
  [[nodiscard]] block_run whole(std::uint32_t content) const {
    return {content, 0, request_.geometry.count(size(content))};
  }
  [[nodiscard]] std::uint64_t length(const block_run& run) const {
    return request_.geometry.length(size(run.content), run.first, run.count);
  }

  [[nodiscard]] std::chrono::milliseconds expected(std::size_t run) const {
    if (run >= request_.order.guessed_runs) return never_expected;
    const auto& positions = request_.order.positions;
    if (positions.empty()) return std::chrono::milliseconds(0);
    return positions[std::min(run, positions.size() - 1)];
  }

  /// Places what of a run has not been mentioned before.
  void mention(const block_run& run) {
    if (run.content >= request_.contents.size() || run.count == 0) return;
    auto found = mentioned_.find(run.content);
    if (found == mentioned_.end()) {
      found = mentioned_.emplace(run.content, block_set(whole(run.content).count)).first;
      touched_.push_back(run.content);
    }
    for (const auto& fresh : found->second.missing(run.content, run.first, run.count)) {
      found->second.insert(fresh.first, fresh.count);
      place(fresh);
    }
  }

  /// Small before large, by powers of two, so that neighbours of the tree stay together and compress well.
  [[nodiscard]] std::vector<std::uint32_t> untouched() const {
    std::vector<std::uint32_t> all;
    for (std::uint32_t content = 0; content < request_.contents.size(); ++content)
      if (!mentioned_.contains(content)) all.push_back(content);
    const auto size_class = [&](std::uint32_t content) {
      return std::bit_width(std::max(size(content), smallest_size_class_bytes) - 1);
    };
    std::stable_sort(all.begin(), all.end(),
                     [&](auto left, auto right) { return size_class(left) < size_class(right); });
    return all;
  }

  [[nodiscard]] std::uint32_t segment_bytes(std::size_t ordinal) const {
    const auto& limits = request_.limits;
    const auto doublings = std::min<std::size_t>(ordinal / 2, 31);
    const auto bytes = std::uint64_t{limits.first_segment_bytes} << doublings;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, limits.segment_bytes_max));
  }

  /// Adds a run to the cut of the whole image, as if the node had nothing.
  void place(block_run run) {
    if (patched_.contains(run.content)) place_pieces(run);
    if (run == whole(run.content) && better_in_next(length(run))) cut();
    while (run.count > 0) {
      const auto blocks = fitting(run);
      if (blocks == 0) {
        cut();
        continue;
      }
      const block_run part{run.content, run.first, blocks};
      if (cut_.runs.empty()) cut_.expected = expected_;
      append_run(cut_.runs, part);
      cut_.bytes += static_cast<std::uint32_t>(length(part));
      run.first += blocks;
      run.count -= blocks;
    }
  }

  /// A content that is not split needs no tree nodes to be verified.
  [[nodiscard]] bool better_in_next(std::uint64_t bytes) const {
    const auto limit = segment_bytes(cuts_);
    return cut_.bytes >= limit / 2 && bytes <= limit && cut_.bytes + bytes > limit;
  }

  [[nodiscard]] std::uint32_t fitting(const block_run& run) const {
    const auto limit = segment_bytes(cuts_);
    if (cut_.runs.size() >= request_.limits.segment_runs_max) return 0;
    const auto room = limit - std::min(limit, cut_.bytes);
    if (length(run) <= room) return run.count;
    const auto blocks = room / request_.geometry.block_bytes;
    return blocks == 0 && cut_.runs.empty() ? 1 : blocks;
  }

  /// Plans the patch pieces that a run touches, each once.
  void place_pieces(const block_run& run) {
    auto& patch = patched_.at(run.content);
    const auto total = whole(run.content).count;
    const auto per_piece = std::max(1U, request_.limits.patch_piece_bytes / request_.geometry.block_bytes);
    if (patch.planned_pieces.blocks() == 0)
      patch.planned_pieces = block_set((total + per_piece - 1) / per_piece);
    for (auto piece = run.first / per_piece; piece <= (run.first + run.count - 1) / per_piece; ++piece) {
      if (patch.planned_pieces.contains(piece)) continue;
      patch.planned_pieces.insert(piece, 1);
      planned_segment segment{.runs = {}, .bytes = 0, .patch_base = patch.base, .expected = expected_};
      const auto first = piece * per_piece;
      lacking({run.content, first, std::min(per_piece, total - first)}, segment);
      if (!segment.runs.empty()) emit(std::move(segment));
    }
  }

  /// Appends what the node lacks of a run.
  void lacking(const block_run& run, planned_segment& into) const {
    if (request_.had.has_all(run.content)) return;
    const auto add = [&](const block_run& part) {
      append_run(into.runs, part);
      into.bytes += static_cast<std::uint32_t>(length(part));
    };
    const auto partial = request_.had.partial.find(run.content);
    if (partial == request_.had.partial.end()) return add(run);
    const auto had = block_set::from_words(whole(run.content).count, partial->second.words());
    for (const auto& part : had.missing(run.content, run.first, run.count)) add(part);
  }

  /// Ends a segment of the whole image. One that the node lacks entirely stays as it is, so that it is equal
  /// for many nodes; what is left of others is gathered.
  void cut() {
    if (cut_.runs.empty()) return;
    planned_segment rest{.expected = cut_.expected};
    for (const auto& run : cut_.runs)
      if (!patched_.contains(run.content)) lacking(run, rest);
    if (rest == cut_) {
      flush();
      emit(std::move(rest));
    } else {
      for (const auto& run : rest.runs) gather(run, rest.expected);
    }
    cut_ = {};
    ++cuts_;
  }

  void gather(const block_run& run, std::chrono::milliseconds expected) {
    const auto bytes = static_cast<std::uint32_t>(length(run));
    const bool full = rest_.bytes + bytes > segment_bytes(plan_.segments.size()) ||
                      rest_.runs.size() >= request_.limits.segment_runs_max;
    if (full) flush();
    if (rest_.runs.empty()) rest_.expected = expected;
    append_run(rest_.runs, run);
    rest_.bytes += bytes;
  }

  void flush() {
    if (rest_.runs.empty()) return;
    emit(std::move(rest_));
    rest_ = {};
  }

  void emit(planned_segment segment) {
    plan_.bytes += segment.bytes;
    plan_.segments.push_back(std::move(segment));
  }

  void pass(landmark mark) {
    cut();
    flush();
    plan_.landmarks.push_back({mark, static_cast<std::uint32_t>(plan_.segments.size())});
  }

  const plan_request& request_;
  bundle_plan plan_;
  std::chrono::milliseconds expected_{never_expected};  ///< of what is placed now
  planned_segment cut_;                                 ///< of the whole image
  planned_segment rest_;                                ///< gathered from segments that the node has in part
  std::size_t cuts_ = 0;
  std::unordered_map<std::uint32_t, block_set> mentioned_;
  std::vector<std::uint32_t> touched_;
  std::unordered_map<std::uint32_t, patched> patched_;
};

}  // namespace

bundle_plan plan_bundle(const plan_request& request) {
  assert(request.limits.first_segment_bytes > 0 && request.limits.segment_runs_max > 0);
  return planner(request).make();
}

}  // namespace firstlight
