#include "actors/net/rpc/opening_connections.hpp"

#include <algorithm>

#include "actors/net/rpc/debug_log.hpp"
#include "actors/net/rpc/socket_options.hpp"

namespace firstlight {

opening_connections::opening_connections(const carriers& bulks, const link_limits& limits)
    : bulks_(bulks),
      opening_time_(limits.opening_time),
      bytes_max_(limits.message_bytes_max),
      log_(kj::heap<debug_log>()),
      calls_(*log_) {}

void opening_connections::expect(std::uint32_t count) {
  const auto there = static_cast<std::uint32_t>(openings_.size());
  awaited_ = count > there ? count - there : 0;
  awaited_since_ = std::chrono::steady_clock::now();
}

void opening_connections::attach(connection& over, wire::BulkSink::Client sink) {
  openings_.push_back(
      std::make_shared<carrier>(carrier{&over, kj::mv(sink), piece_spread::connection_kind::opening}));
  if (awaited_ > 0) --awaited_;
  for (auto& one : transfers_) one.spread.arrived();
  send_pieces();
}

void opening_connections::lost(const connection& over) {
  for (auto& one : openings_)
    if (one->over == &over) one->over = nullptr;
  openings_.erase(std::remove_if(openings_.begin(), openings_.end(),
                                 [](const auto& one) { return one->over == nullptr; }),
                  openings_.end());
}

bool opening_connections::node_takes(std::uint64_t frame_bytes) const {
  // The last piece of a frame may be small and cost more than its bytes.
  auto cost = limits_.transfers_max * limits_.gathering.least_piece_bytes + frame_bytes;
  for (const auto& one : transfers_) cost += one.frame.bytes.size();
  return transfers_.size() < limits_.transfers_max && cost <= bytes_max_;
}

bool opening_connections::help(std::uint64_t frame_bytes) const {
  const bool awaits = awaited_ > 0 && std::chrono::steady_clock::now() - awaited_since_ < opening_time_;
  if ((openings_.empty() && !awaits) || !node_takes(frame_bytes)) return false;
  std::uint64_t room = 0;
  for (const auto& one : bulks_) {
    const auto window = inspect_socket(one->over->descriptor()).window_bytes;
    room += window - std::min(window, one->unanswered_bytes);
  }
  return frame_bytes > room;
}

void opening_connections::send(std::uint64_t delivery, wire::TocPart part, shared_bytes frame) {
  const piece_spread spread(frame.bytes.size(), static_cast<std::uint32_t>(bulks_.size()),
                            static_cast<std::uint32_t>(openings_.size()), awaited_, limits_.spread);
  transfers_.push_back({delivery, part, std::move(frame), spread, {}});
  send_pieces();
}

// The earlier frame first; of each, the connection with the least on its way.
void opening_connections::send_pieces() {
  carriers all = bulks_;
  all.insert(all.end(), openings_.begin(), openings_.end());
  all.erase(std::remove_if(all.begin(), all.end(), [](const auto& one) { return one->ending; }), all.end());
  for (auto& one : transfers_) {
    bool sent = true;
    while (std::exchange(sent, false)) {
      std::sort(all.begin(), all.end(),
                [](const auto& a, const auto& b) { return a->piece_bytes < b->piece_bytes; });
      for (std::size_t at = 0; at < all.size() && !sent; ++at) sent = send_piece(one, all[at]);
    }
  }
}

bool opening_connections::send_piece(transfer& of, const std::shared_ptr<carrier>& over) {
  const auto window = inspect_socket(over->over->descriptor()).window_bytes;
  const auto which = of.spread.next({of.unanswered[over.get()], over->piece_bytes, window, over->kind});
  if (!which) return false;
  auto call = over->sink.pieceRequest();
  call.setDelivery(of.delivery);
  call.setPart(of.part);
  call.setOffset(which->offset);
  const shared_bytes piece{of.frame.bytes.subspan(which->offset, which->bytes), of.frame.owner};
  call.adoptBytes(capnp::Orphanage::getForMessageContaining(wire::BulkSink::PieceParams::Builder(call))
                      .referenceExternalData(over->over->messages().lend(piece)));
  over->started(which->bytes);
  over->piece_bytes += which->bytes;
  ++of.unanswered[over.get()];
  calls_.add(call.send().ignoreResult().then(
      [this, &of, over, which = *which] {
        over->ended(which.bytes);
        over->piece_bytes -= which.bytes;
        --of.unanswered[over.get()];
        awaited_ = 0;
        of.spread.answered(which);
        end_when_done();
      },
      [this, &of, over, which = *which](kj::Exception&&) {
        over->ended(which.bytes);
        over->piece_bytes -= which.bytes;
        --of.unanswered[over.get()];
        over->ending = true;  // a bulk connection's end is that of the session
        of.spread.lost(which);
        send_pieces();
      }));
  return true;
}

void opening_connections::end_when_done() {
  transfers_.remove_if([](const transfer& one) { return one.spread.over(); });
  if (!transfers_.empty()) return send_pieces();
  for (auto& one : openings_) {
    one->ending = true;
    one->over->close();
  }
}

}  // namespace firstlight
