#include "model/delivery.hpp"

#include <algorithm>
#include <cassert>

#include "model/runs.hpp"
#include "model/want_ahead.hpp"

namespace firstlight {

delivery::delivery(std::shared_ptr<const bundle_plan> plan, contents_ptr contents, block_geometry geometry,
                   plan_limits cut, delivery_limits limits)
    : plan_(std::move(plan)),
      contents_(std::move(contents)),
      geometry_(geometry),
      cut_(cut),
      limits_(limits) {
  starts_.reserve(contents_->size() + 1);
  starts_.push_back(0);
  for (const auto& content : *contents_) starts_.push_back(starts_.back() + geometry_.count(content.size));
  for (auto* set : {&left_, &stored_, &queued_, &plain_}) *set = block_set(starts_.back());
  left_.insert(0, starts_.back());
  for (const auto& segment : plan_->segments)
    for (const auto& run : segment.runs) left_.erase(flat(run), run.count);
  for (const auto& mark : plan_->landmarks) landmarks_.push_back({mark.mark, mark.after, {}});
  counters_.bytes_total = counters_.bytes_left = plan_->bytes;
  index_patches();
  reach_landmarks();
}

bool delivery::inside(const block_run& run) const {
  if (run.content >= contents_->size() || run.count == 0) return false;
  const auto blocks = geometry_.count((*contents_)[run.content].size);
  return run.first < blocks && run.count <= blocks - run.first;
}

std::uint64_t delivery::length(const block_run& run) const {
  return geometry_.length((*contents_)[run.content].size, run.first, run.count);
}

std::vector<block_run> delivery::outside(const block_set& set, const block_run& run) const {
  auto runs = set.missing(run.content, flat(run), run.count);
  for (auto& part : runs) part.first -= starts_[run.content];
  return runs;
}

std::optional<delivery::outgoing> delivery::next() {
  if (auto wanted = next_wanted()) return leave(std::move(*wanted), true);
  if (auto ahead = next_ahead()) return leave(std::move(*ahead), false);
  if (auto planned = next_planned()) return leave(std::move(*planned), false);
  return std::nullopt;
}

std::chrono::milliseconds delivery::next_expected() const {
  if (!wants_.empty() || !ahead_.empty()) return std::chrono::milliseconds::min();
  return cursor_ < plan_->segments.size() ? plan_->segments[cursor_].expected : never_expected;
}

std::optional<planned_segment> delivery::next_wanted() {
  planned_segment segment;
  while (!wants_.empty() && segment.bytes < limits_.want_segment_bytes) {
    const auto run = wants_.front();
    const auto unsent = first_unsent(run);
    if (!unsent) {
      queued_.erase(flat(run), run.count);
      wants_.pop_front();
    } else if (const auto piece = patch_piece(*unsent)) {
      if (!segment.runs.empty()) break;
      take_piece(segment, *piece);
      break;
    } else {
      wants_.pop_front();
      queued_.erase(flat(run), run.count);
      gather(segment, run, *unsent);
    }
  }
  if (segment.runs.empty()) return std::nullopt;
  return segment;
}

/// Looks a little way ahead at a time, so that a long want is not walked again for each of its segments.
std::optional<block_run> delivery::first_unsent(const block_run& run) const {
  constexpr std::uint32_t step = 1024;
  for (std::uint32_t done = 0; done < run.count; done += step) {
    const auto unsent = outside(left_, {run.content, run.first + done, std::min(step, run.count - done)});
    if (!unsent.empty()) return unsent.front();
  }
  return std::nullopt;
}

/// Takes the first unsent part of a want as far as there is room, and puts the rest back to the front.
void delivery::gather(planned_segment& segment, const block_run& run, block_run part) {
  const auto room = limits_.want_segment_bytes - std::min(limits_.want_segment_bytes, segment.bytes);
  part.count = std::clamp(room / geometry_.block_bytes, 1U, part.count);
  take(segment, part);
  const auto end = part.first + part.count;
  const block_run rest{run.content, end, run.first + run.count - end};
  if (rest.count == 0) return widen(segment, part);
  queued_.insert(flat(rest), rest.count);
  wants_.push_front(rest);
}

/// A reader goes on where it stopped: a little of what follows comes along.
void delivery::widen(planned_segment& segment, const block_run& behind) {
  if (patches_.contains(behind.content)) return;
  const auto first = behind.first + behind.count;
  const auto blocks = geometry_.count((*contents_)[behind.content].size);
  const auto reach = reach_of_want(limits_, geometry_, times_wanted_[behind.content]++, blocks - first);
  for (const auto& part : outside(left_, {behind.content, first, reach.with})) take(segment, part);
  if (reach.behind > 0) ahead_.push_back({behind.content, first + reach.with, reach.behind});
}

/// A content that is wanted again and again is read by a program that the order does not know: waiting for
/// each part of it would cost a round trip each time.
std::optional<planned_segment> delivery::next_ahead() {
  planned_segment segment;
  while (!ahead_.empty() && segment.bytes < limits_.want_segment_bytes) {
    const auto run = ahead_.front();
    ahead_.pop_front();
    const auto unsent = outside(left_, run);
    if (unsent.empty() || patches_.contains(run.content)) continue;
    auto part = unsent.front();
    const auto room = limits_.want_segment_bytes - segment.bytes;
    part.count = std::clamp(room / geometry_.block_bytes, 1U, part.count);
    take(segment, part);
    const auto end = part.first + part.count;
    if (end < run.first + run.count) ahead_.push_front({run.content, end, run.first + run.count - end});
  }
  if (segment.runs.empty()) return std::nullopt;
  return segment;
}

/// The position of the patch piece that would bring the begin of a run, if it has not had its turn.
std::optional<std::size_t> delivery::patch_piece(const block_run& run) const {
  const auto positions = patches_.find(run.content);
  if (positions == patches_.end() || plain_.contains(flat(run))) return std::nullopt;
  const auto holds = [&](const block_run& part) {
    return part.first <= run.first && run.first - part.first < part.count;
  };
  for (const auto position : positions->second) {
    const auto& runs = plan_->segments[position].runs;
    if (position >= cursor_ && std::any_of(runs.begin(), runs.end(), holds)) return position;
  }
  return std::nullopt;
}

void delivery::take_piece(planned_segment& segment, std::size_t position) {
  const auto& piece = plan_->segments[position];
  segment.patch_base = piece.patch_base;
  for (const auto& run : piece.runs)
    for (const auto& unsent : outside(left_, run))
      for (const auto& part : outside(plain_, unsent)) take(segment, part);
}

std::optional<planned_segment> delivery::next_planned() {
  while (cursor_ < plan_->segments.size()) {
    const auto& planned = plan_->segments[cursor_++];
    planned_segment segment{.runs = {}, .bytes = 0, .patch_base = planned.patch_base};
    for (const auto& run : planned.runs)
      for (const auto& part : outside(left_, run)) take(segment, part);
    if (!segment.runs.empty()) return segment;
    reach_landmarks();
  }
  return std::nullopt;
}

void delivery::take(planned_segment& segment, const block_run& run) {
  append_run(segment.runs, run);
  const auto bytes = length(run);
  segment.bytes += static_cast<std::uint32_t>(bytes);
  counters_.bytes_left -= bytes;
  repeats_waiting_ -= repeated_blocks(run);
  left_.insert(flat(run), run.count);
}

std::uint32_t delivery::repeated_blocks(const block_run& run) const {
  auto blocks = run.count;
  for (const auto& fresh : outside(plain_, run)) blocks -= fresh.count;
  return blocks;
}

delivery::outgoing delivery::leave(planned_segment segment, bool out_of_turn) {
  const auto repeats = std::any_of(segment.runs.begin(), segment.runs.end(),
                                   [&](const block_run& run) { return repeated_blocks(run) > 0; });
  const auto sequence = sequence_++;
  for (auto& mark : landmarks_)
    if (repeats && mark.barrier) mark.barrier = sequence_;
  reach_landmarks();
  ++counters_.segments_sent;
  in_flight_.emplace(sequence, flight{segment.runs, segment.bytes});
  return {sequence, std::move(segment), out_of_turn};
}

result<void> delivery::want(std::span<const block_run> runs, urgency how) {
  if (runs.size() > limits_.want_runs_max)
    return fail(errc::limit_exceeded, "a want of more than want_runs_max runs");
  if (!std::all_of(runs.begin(), runs.end(), [&](const block_run& run) { return inside(run); }))
    return fail(errc::invalid_argument, "a want outside the image's contents");
  for (const auto& run : runs) {
    if (how == urgency::again) repeat(run);
    for (const auto& part : outside(left_, run)) queue(part);
  }
  return {};
}

void delivery::queue(const block_run& run) {
  for (const auto& part : outside(queued_, run)) {
    queued_.insert(flat(part), part.count);
    wants_.push_back(part);
  }
}

/// Makes blocks that have left leave again, unless they have done so too often.
void delivery::repeat(const block_run& run) {
  for (auto block = run.first; block < run.first + run.count; ++block) {
    const block_run one{run.content, block, 1};
    const auto id = flat(one);
    if (!left_.contains(id)) continue;
    auto& sends = sends_.try_emplace(id, 1).first->second;
    if (sends > limits_.sends_per_block_max) continue;
    if (++sends > limits_.sends_per_block_max) {
      ++counters_.blocks_abandoned;
      continue;
    }
    const auto bytes = length(one);
    if (stored_.contains(id)) counters_.bytes_answered -= bytes;
    stored_.erase(id, 1);
    left_.erase(id, 1);
    plain_.insert(id, 1);
    ++repeats_waiting_;
    counters_.bytes_left += bytes;
  }
}

result<void> delivery::answered(std::uint32_t sequence, answer how) {
  const auto found = in_flight_.find(sequence);
  if (found == in_flight_.end())
    return fail(errc::protocol,
                "an answer to segment " + std::to_string(sequence) + ", which is not in flight");
  const auto runs = std::move(found->second.runs);
  in_flight_.erase(found);
  if (how == answer::failed) ++counters_.segments_failed;
  for (const auto& run : runs) {
    if (how == answer::stored) {
      store(run);
      continue;
    }
    refused_.insert(run.content);
    for (const auto& lost : carried_by_none_after(sequence, run)) {
      repeat(lost);
      for (const auto& part : outside(left_, lost)) queue(part);
    }
  }
  return {};
}

void delivery::store(const block_run& run) {
  for (const auto& left : outside(stored_, run)) {
    counters_.bytes_answered += length(left);
    stored_.insert(flat(left), left.count);
  }
}

/// The parts of a run that no later segment has brought or is about to bring.
std::vector<block_run> delivery::carried_by_none_after(std::uint32_t sequence, const block_run& run) const {
  block_set carried(geometry_.count((*contents_)[run.content].size));
  for (auto later = in_flight_.upper_bound(sequence); later != in_flight_.end(); ++later)
    for (const auto& other : later->second.runs)
      if (other.content == run.content) carried.insert(other.first, other.count);
  std::vector<block_run> lost;
  for (const auto& part : carried.missing(run.content, run.first, run.count))
    for (const auto& open : outside(stored_, part)) lost.push_back(open);
  return lost;
}

void delivery::reorder(const content_order& order) {
  had_contents had{block_set(static_cast<std::uint32_t>(contents_->size())), {}};
  for (std::uint32_t content = 0; content < contents_->size(); ++content) {
    const block_run whole{content, 0, geometry_.count((*contents_)[content].size)};
    const auto unsent = outside(left_, whole);
    if (unsent.empty()) had.complete.insert(content, 1);
    if (unsent.empty() || unsent.front() == whole) continue;
    block_set blocks(whole.count);
    blocks.insert(0, whole.count);
    for (const auto& run : unsent) blocks.erase(run.first, run.count);
    had.partial.emplace(content, std::move(blocks));
  }
  std::map<std::uint32_t, content_info> bases;
  for (auto at = cursor_; at < plan_->segments.size(); ++at)
    if (const auto& segment = plan_->segments[at]; segment.patch_base)
      bases.emplace(segment.runs.front().content, *segment.patch_base);
  std::vector<patch_base> patches;
  for (const auto& [content, base] : bases) patches.push_back({content, base});

  plan_ =
      std::make_shared<const bundle_plan>(plan_bundle({*contents_, geometry_, had, order, patches, cut_}));
  cursor_ = 0;
  for (auto& pending : landmarks_)
    for (const auto& mark : plan_->landmarks)
      if (!pending.barrier && mark.mark == pending.what) pending.after = mark.after;
  index_patches();
  reach_landmarks();
}

void delivery::index_patches() {
  patches_.clear();
  for (std::size_t at = 0; at < plan_->segments.size(); ++at)
    if (plan_->segments[at].patch_base) patches_[plan_->segments[at].runs.front().content].push_back(at);
}

void delivery::reach_landmarks() {
  for (auto& mark : landmarks_)
    if (!mark.barrier && cursor_ >= mark.after) mark.barrier = sequence_;
}

std::vector<landmark> delivery::take_landmarks() {
  std::vector<landmark> passed;
  if (counters_.blocks_abandoned > 0 || repeats_waiting_ > 0) return passed;
  while (!landmarks_.empty()) {
    const auto& barrier = landmarks_.front().barrier;
    if (!barrier || (!in_flight_.empty() && in_flight_.begin()->first < *barrier)) break;
    passed.push_back(landmarks_.front().what);
    landmarks_.pop_front();
  }
  return passed;
}

block_set delivery::known(std::uint32_t content) const {
  assert(content < contents_->size());
  const block_run whole{content, 0, geometry_.count((*contents_)[content].size)};
  block_set blocks(whole.count);
  if (refused_.contains(content)) return blocks;
  blocks.insert(0, whole.count);
  for (const auto& run : outside(stored_, whole)) blocks.erase(run.first, run.count);
  return blocks;
}

bool delivery::done() const {
  return counters_.bytes_left == 0 && in_flight_.empty();
}

}  // namespace firstlight
