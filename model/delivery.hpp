#pragma once
#include <deque>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "model/plan.hpp"

namespace firstlight {

struct delivery_limits {
  std::uint32_t builds_ahead_max = 4;  ///< segments of a session that are built before there is credit
  std::uint32_t want_segment_bytes =
      256 * 1024;                               ///< unpacked; wants are gathered up to this into one segment
  std::uint32_t want_ahead_bytes = 128 * 1024;  ///< how far beyond a want the same content is sent with it
  std::uint32_t want_ahead_bytes_max =
      4 * 1024 *
      1024;  ///< each further want of a content doubles that, up to this; the rest follows the wants
  std::uint32_t want_runs_max = 4096;     ///< in one want
  std::uint32_t sends_per_block_max = 4;  ///< first sending and repeats together
};

struct delivery_counters {
  std::uint64_t bytes_total = 0;     ///< unpacked, of the plan
  std::uint64_t bytes_left = 0;      ///< not sent yet, or to be sent again
  std::uint64_t bytes_answered = 0;  ///< verified and stored by the node
  std::uint64_t blocks_abandoned = 0;
  std::uint32_t segments_sent = 0;
  std::uint32_t segments_failed = 0;
};

/// Whether sending the same blocks once more may help against a node's refusal: yes for damage, for a proof
/// or TOC that it lacked and for a full queue; no for its disk, or since nobody waits for them.
[[nodiscard]] constexpr bool worth_repeating(errc refusal) {
  return refusal == errc::corrupt || refusal == errc::not_ready || refusal == errc::limit_exceeded ||
         refusal == errc::busy;
}

/// The core of one running delivery on the hub: what leaves next, given the plan, what the node wants out
/// of turn and what it has answered. Owned by one session; not thread-safe. Work is linear in the runs that
/// pass through it.
class delivery {
 public:
  using contents_ptr = std::shared_ptr<const std::vector<content_info>>;

  /// What to build and send; answered by `sequence`.
  struct outgoing {
    std::uint32_t sequence = 0;
    planned_segment segment;
    bool out_of_turn = false;
  };
  enum class answer : std::uint8_t { stored, failed };

  /// `plan` was made from `contents` and `geometry`; both may be shared between deliveries.
  delivery(std::shared_ptr<const bundle_plan> plan, contents_ptr contents, block_geometry geometry,
           plan_limits cut = {}, delivery_limits limits = {});

  /// Takes the next segment: wants first, first come first served, then the plan without what has left
  /// already. The segment counts as sent. Nothing when all has left (answers may still bring repeats).
  [[nodiscard]] std::optional<outgoing> next();

  /// When a start is expected to read what `next` gives: `never_expected` behind all that is, and when
  /// nothing is left; the least of all times for what a reader waits for.
  [[nodiscard]] std::chrono::milliseconds next_expected() const;

  /// Moves blocks to the front. Blocks that have left, or that the plan does not hold since the node has
  /// them, are skipped; with `again` they are sent once more, plainly, until a block has been sent
  /// `sends_per_block_max` times: then it is abandoned.
  /// Errors, and nothing changes: `invalid_argument` for a run outside the content table or its content,
  /// `limit_exceeded` for too many runs.
  result<void> want(std::span<const block_run> runs, urgency how);

  /// Plans what has not left anew with a better order.
  void reorder(const content_order& order);

  /// The node's verdict on a segment. The blocks of a failed one are sent again at the front, except those
  /// that a later segment carries; a block that has been sent too often is abandoned.
  /// Errors: `protocol` for a sequence that is not in flight.
  result<void> answered(std::uint32_t sequence, answer how);

  /// Landmarks whose segments have all been answered as stored, since the last call; each once, in order.
  /// None once blocks have been abandoned.
  [[nodiscard]] std::vector<landmark> take_landmarks();

  /// The blocks of a content that this delivery sent and the node confirmed: it keeps their Merkle nodes.
  /// None once it has refused blocks of this content: it may know less than believed, so that what is
  /// repeated needs its whole proof.
  [[nodiscard]] block_set known(std::uint32_t content) const;

  /// Nothing is left to send and nothing unanswered. Complete if no block was abandoned.
  [[nodiscard]] bool done() const;
  /// Whether `next` may give something out of turn.
  [[nodiscard]] bool wanted() const { return !wants_.empty(); }
  [[nodiscard]] const delivery_counters& counters() const { return counters_; }

 private:
  struct flight {
    std::vector<block_run> runs;
    std::uint32_t bytes = 0;
  };
  struct pending_landmark {
    landmark what = landmark::guessed;
    std::uint32_t after = 0;                 ///< position in the current plan
    std::optional<std::uint32_t> barrier{};  ///< once reached: all sequences below must be answered
  };

  /// Runs of the image as runs of one row of blocks, where a content starts at `starts_[content]`.
  [[nodiscard]] std::uint32_t flat(const block_run& run) const { return starts_[run.content] + run.first; }
  [[nodiscard]] bool inside(const block_run& run) const;
  [[nodiscard]] std::uint64_t length(const block_run& run) const;
  /// The parts of a run whose blocks are not in the set.
  [[nodiscard]] std::vector<block_run> outside(const block_set& set, const block_run& run) const;

  [[nodiscard]] std::optional<planned_segment> next_wanted();
  [[nodiscard]] std::optional<planned_segment> next_ahead();
  [[nodiscard]] std::optional<planned_segment> next_planned();
  [[nodiscard]] std::optional<std::size_t> patch_piece(const block_run& run) const;
  void take_piece(planned_segment& segment, std::size_t position);
  [[nodiscard]] std::optional<block_run> first_unsent(const block_run& run) const;
  void gather(planned_segment& segment, const block_run& run, block_run part);
  void widen(planned_segment& segment, const block_run& behind);
  void take(planned_segment& segment, const block_run& run);
  [[nodiscard]] std::uint32_t repeated_blocks(const block_run& run) const;
  void queue(const block_run& run);
  void repeat(const block_run& run);
  [[nodiscard]] std::vector<block_run> carried_by_none_after(std::uint32_t sequence,
                                                             const block_run& run) const;
  void store(const block_run& run);
  void index_patches();
  void reach_landmarks();
  outgoing leave(planned_segment segment, bool out_of_turn);

  std::shared_ptr<const bundle_plan> plan_;
  contents_ptr contents_;
  block_geometry geometry_;
  plan_limits cut_;
  delivery_limits limits_;
  std::vector<std::uint32_t> starts_;  ///< by content, and the number of all blocks at the end
  std::size_t cursor_ = 0;             ///< in plan_->segments
  block_set left_;                     ///< blocks that have left, or need not
  block_set stored_;                   ///< blocks that the node confirmed
  block_set queued_;                   ///< blocks in `wants_`
  block_set plain_;                    ///< blocks that are repeated: no patch, and landmarks wait for them
  std::unordered_set<std::uint32_t> refused_;  ///< contents of which the node refused blocks
  std::deque<block_run> wants_;
  std::deque<block_run> ahead_;  ///< blocks that are likely to be wanted next: behind wants, before the plan
  std::unordered_map<std::uint32_t, std::uint32_t> times_wanted_;        ///< by content
  std::unordered_map<std::uint32_t, std::uint32_t> sends_;               ///< of repeated blocks
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> patches_;  ///< plan positions by content
  std::map<std::uint32_t, flight> in_flight_;                            ///< by sequence
  std::deque<pending_landmark> landmarks_;
  std::uint64_t repeats_waiting_ = 0;  ///< blocks that failed or are wanted again, and have not left yet
  std::uint32_t sequence_ = 0;
  delivery_counters counters_;
};

}  // namespace firstlight
