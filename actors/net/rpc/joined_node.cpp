#include "actors/net/rpc/joined_node.hpp"

#include <algorithm>
#include <array>

#include "actors/net/rpc/debug_log.hpp"
#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/socket_options.hpp"
#include "actors/net/rpc/values.hpp"

namespace firstlight {
namespace {

constexpr std::uint32_t padding_piece_bytes = 64U << 10U;
// Everything else in a message beside the frame, roughly.
constexpr std::uint64_t envelope_bytes = 256;
// Room for runs, proofs and the RPC around the largest frame.
constexpr std::uint64_t envelope_bytes_max = 1U << 20U;

shared_bytes zeros(std::uint32_t bytes) {
  alignas(8) static constexpr std::array<std::byte, padding_piece_bytes> block{};
  return {bytes_view(block).first(bytes), nullptr};
}

std::chrono::microseconds since(instant start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start);
}

}  // namespace

joined_node::joined_node(options configured)
    : options_(kj::mv(configured)), log_(kj::heap<debug_log>()), calls_(*log_) {}

joined_node::~joined_node() {
  if (link_) caf::anon_send(link_, link_gone{why_});
}

// ---- outgoing -------------------------------------------------------------------------------------

joined_node::shared_carrier joined_node::least_loaded() {
  return *std::min_element(bulks_.begin(), bulks_.end(), [](const auto& a, const auto& b) {
    return a->unanswered_bytes < b->unanswered_bytes;
  });
}

template <class What>
bool joined_node::postpone(std::uint64_t id, const What& what) {
  if (!bulks_.empty()) return false;
  if (waiting_.size() < options_.limits.outgoing_waiting_max)
    waiting_.push_back([this, id, what] { send(id, what); });
  else
    answer(id, {}, error{errc::busy, "too much waits for the node's bulk connection"});
  return true;
}

// The far side would end the connection for it.
bool joined_node::refuse_oversized(std::uint64_t id, const shared_bytes& frame) {
  if (frame.bytes.size() + envelope_bytes_max <= options_.limits.message_bytes_max) return false;
  answer(id, {}, error{errc::limit_exceeded, "a frame is larger than the node accepts (message_bytes_max)"});
  return true;
}

void joined_node::answer(std::uint64_t id, delivered outcome, std::optional<error> failure) {
  caf::anon_send(link_, link_answer{id, std::move(outcome), std::move(failure)});
}

void joined_node::track(std::uint64_t id, const shared_carrier& over, std::uint64_t bytes, instant started,
                        kj::Promise<result<verdict>> call) {
  over->started(bytes);
  calls_.add(call.then(
      [this, id, started, over, bytes](result<verdict> answered) {
        over->ended(bytes);
        if (!answered) return answer(id, {}, answered.error());
        const auto socket = inspect_socket(over->over->descriptor());
        answer(id, {*answered, since(started), socket.round_trip, socket.bandwidth});
      },
      [this, id, over, bytes](kj::Exception&& thrown) {
        over->ended(bytes);
        answer(id, {}, from_kj(thrown));
      }));
}

void joined_node::send(std::uint64_t id, outgoing_toc what) {
  if (refuse_oversized(id, what.toc.frame) || postpone(id, what)) return;
  const auto over = least_loaded();
  auto call = over->sink.tocRequest();
  call.setDelivery(what.delivery);
  shared_bytes in_pieces;
  if (openings_.help(what.toc.frame.bytes.size())) {
    std::swap(in_pieces, what.toc.frame);
    call.setInPieces(in_pieces.bytes.size());
  }
  write_toc(call.initToc(), what.toc, over->over->messages());
  track(id, over, what.toc.frame.bytes.size() + envelope_bytes, std::chrono::steady_clock::now(),
        call.send().then([](auto&& answered) { return read_verdict(answered.getVerdict()); }));
  if (!in_pieces.bytes.empty())
    openings_.send(what.delivery, static_cast<wire::TocPart>(what.toc.part), std::move(in_pieces));
}

void joined_node::send(std::uint64_t id, outgoing_segment what) {
  if (refuse_oversized(id, what.data.frame) || postpone(id, what)) return;
  const auto over = least_loaded();
  auto call = over->sink.segmentRequest();
  call.setDelivery(what.delivery);
  write_segment(call.initSegment(), what.data, over->over->messages());
  track(id, over, what.data.frame.bytes.size() + envelope_bytes, std::chrono::steady_clock::now(),
        call.send().then([](auto&& answered) { return read_verdict(answered.getVerdict()); }));
}

kj::Promise<result<verdict>> joined_node::pad(carrier& over, std::uint32_t bytes) {
  kj::Vector<kj::Promise<void>> pieces;
  for (std::uint32_t sent = 0; sent < bytes; sent += padding_piece_bytes) {
    auto call = over.sink.paddingRequest();
    const auto piece = zeros(std::min(padding_piece_bytes, bytes - sent));
    call.adoptBytes(capnp::Orphanage::getForMessageContaining(wire::BulkSink::PaddingParams::Builder(call))
                        .referenceExternalData(over.over->messages().lend(piece)));
    pieces.add(call.send().ignoreResult());
  }
  return kj::joinPromises(pieces.releaseAsArray()).then([] { return result<verdict>(verdict{}); });
}

void joined_node::send(std::uint64_t id, outgoing_padding what) {
  if (postpone(id, what)) return;
  // One answer for the parts on all connections: the last, or the first failure.
  const auto share = what.bytes / static_cast<std::uint32_t>(bulks_.size());
  kj::Vector<kj::Promise<void>> parts;
  for (auto& one : bulks_) {
    const auto bytes =
        &one == &bulks_.front() ? what.bytes - share * static_cast<std::uint32_t>(bulks_.size() - 1) : share;
    one->unanswered_bytes += bytes;
    parts.add(pad(*one, bytes).then([one, bytes](auto&&) { one->unanswered_bytes -= bytes; }));
  }
  track(id, bulks_.front(), 0, std::chrono::steady_clock::now(),
        kj::joinPromises(parts.releaseAsArray()).then([] { return result<verdict>(verdict{}); }));
}

void joined_node::send(outgoing_landmark what) {
  if (bulks_.empty()) {
    if (waiting_.size() < options_.limits.outgoing_waiting_max)
      waiting_.push_back([this, what] { send(what); });
    return;
  }
  auto call = bulks_.front()->sink.landmarkRequest();
  call.setDelivery(what.delivery);
  call.setLandmark(to_wire(what.mark));
  calls_.add(call.send().ignoreResult());
}

void joined_node::pace(outgoing_pace what) {
  pace_ = what;
  // Each may have all of it: of several connections few are busy at a time, with a segment each.
  for (const auto& one : bulks_) pace_socket(one->over->descriptor(), what.bytes_per_second);
}

void joined_node::attach(connection& over, wire::BulkSink::Client sink,
                         const std::string& congestion_control) {
  bulks_.push_back(std::make_shared<carrier>(carrier{&over, kj::mv(sink)}));
  pace(pace_);
  caf::anon_send(link_, bulk_attached{static_cast<std::uint32_t>(bulks_.size()),
                                      inspect_socket(over.descriptor()).round_trip, congestion_control});
  auto waited = std::move(waiting_);
  waiting_.clear();
  for (auto& one : waited) one();
  openings_.bulk_attached();
}

// ---- incoming -------------------------------------------------------------------------------------

kj::Promise<pull_started> joined_node::pull(pull_request request, wire::ProgressSink::Client progress,
                                            std::uint32_t openings) {
  if (pulls_.size() >= options_.limits.pulls_per_node_max)
    return to_kj({errc::busy, "this node waits for too many pulls already"});
  auto started = kj::newPromiseAndFulfiller<pull_started>();
  const auto id = next_pull_++;
  if (openings > 0) openings_.expect(std::min(openings, options_.limits.connections_per_node_max));
  pulls_.insert_or_assign(
      id, open_pull{request.delivery, kj::mv(started.fulfiller), kj::mv(progress), false, {}});
  caf::anon_send(link_, remote_pull{id, std::move(request)});
  return kj::mv(started.promise);
}

void joined_node::answer_pull(std::uint64_t id, result<pull_started> outcome) {
  const auto found = pulls_.find(id);
  if (found == pulls_.end()) return;
  if (outcome)
    found->second.started->fulfill(std::move(*outcome));
  else
    found->second.started->reject(to_kj(outcome.error()));
  pulls_.erase(found);
}

void joined_node::progress(incoming_progress what) {
  for (auto& [id, pull] : pulls_) {
    if (pull.delivery != what.delivery) continue;
    pull.latest = std::move(what.progress);
    return tell(id);
  }
}

// One at a time: a slow node gets the newest, not a queue.
void joined_node::tell(std::uint64_t id) {
  const auto found = pulls_.find(id);
  if (found == pulls_.end() || found->second.telling || !found->second.latest) return;
  auto& pull = found->second;
  auto call = pull.sink.progressRequest();
  write_progress(call.initProgress(), *pull.latest);
  pull.latest.reset();
  pull.telling = true;
  calls_.add(call.send().ignoreResult().then([this, id] {
    if (const auto still = pulls_.find(id); still != pulls_.end()) still->second.telling = false;
    tell(id);
  }));
}

kj::Promise<shared_bytes> joined_node::call(opaque_call which, shared_bytes bytes) {
  if (opaque_calls_.size() >= options_.limits.pulls_per_node_max)
    return to_kj({errc::busy, "this node waits for too many answers already"});
  auto answered = kj::newPromiseAndFulfiller<shared_bytes>();
  const auto id = next_call_++;
  opaque_calls_.insert_or_assign(id, kj::mv(answered.fulfiller));
  caf::anon_send(link_, remote_call{id, which, std::move(bytes)});
  return kj::mv(answered.promise);
}

void joined_node::answer_call(std::uint64_t id, const result<shared_bytes>& outcome) {
  const auto found = opaque_calls_.find(id);
  if (found == opaque_calls_.end()) return;
  if (outcome)
    found->second->fulfill(shared_bytes(*outcome));
  else
    found->second->reject(to_kj(outcome.error()));
  opaque_calls_.erase(found);
}

void joined_node::wants(want what) {
  caf::anon_send(link_, std::move(what));
}

void joined_node::received(part_received part) {
  caf::anon_send(link_, part);
}

void joined_node::cancel(std::uint64_t delivery) {
  caf::anon_send(link_, cancel_delivery{delivery});
}

}  // namespace firstlight
