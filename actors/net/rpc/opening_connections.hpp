#pragma once
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "actors/net/rpc/carrier.hpp"
#include "config/piece_limits.hpp"
#include "model/bytes.hpp"
#include "model/transfer.hpp"

namespace firstlight {

/// A hub's side of the connections that a node opens besides its bulk connections for the TOC of a pull that
/// waits for the join: the windows of all are sent at once what would take one alone several round trips.
/// They are ended when what was sent in pieces has arrived. Loop thread only.
class opening_connections {
 public:
  /// Pieces go over these, too. May grow as long as this object lives.
  using carriers = std::vector<std::shared_ptr<carrier>>;
  /// Of `limits` its `opening_time` and `message_bytes_max`, the node's if that is less.
  opening_connections(const carriers& bulks, const link_limits& limits);

  /// A pull said that so many are being dialled.
  void expect(std::uint32_t count);
  /// `over` lives until `lost`.
  void attach(connection& over, wire::BulkSink::Client sink);
  void lost(const connection& over);
  /// Another bulk connection is there.
  void bulk_attached() { send_pieces(); }

  /// Pieces are on their way.
  [[nodiscard]] bool busy() const { return !transfers_.empty(); }
  /// Whether a frame of this size would have to wait for the windows of the bulk connections, and the node
  /// takes it in pieces beside those that are on their way.
  [[nodiscard]] bool help(std::uint64_t frame_bytes) const;
  /// Sends the frame of a part of a TOC in pieces, beside the call that announces them.
  void send(std::uint64_t delivery, wire::TocPart part, shared_bytes frame);

 private:
  struct transfer {
    std::uint64_t delivery;
    wire::TocPart part;
    shared_bytes frame;
    piece_spread spread;
    std::map<const carrier*, std::uint32_t> unanswered;  // pieces
  };
  [[nodiscard]] bool node_takes(std::uint64_t frame_bytes) const;
  void send_pieces();
  bool send_piece(transfer& of, const std::shared_ptr<carrier>& over);
  void end_when_done();

  const carriers& bulks_;
  std::chrono::milliseconds opening_time_;
  std::uint64_t bytes_max_;
  piece_limits limits_;
  carriers openings_;
  std::uint32_t awaited_ = 0;
  instant awaited_since_{};
  std::list<transfer> transfers_;  // calls refer to their element: it goes when the last has been answered
  kj::Own<kj::TaskSet::ErrorHandler> log_;
  kj::TaskSet calls_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
