#pragma once
#include "actors/net/rpc/connection.hpp"
#include "model/piece_spread.hpp"
#include "schemas/protocol.capnp.h"

namespace firstlight {

/// A connection over which a hub sends to a node, with what has been sent over it and is not answered yet.
/// Calls share it: it outlives its connection.
struct carrier {
  connection* over;  ///< null once an opening one has ended
  wire::BulkSink::Client sink;
  piece_spread::connection_kind kind = piece_spread::connection_kind::standing;
  std::uint64_t unanswered_bytes = 0;
  std::uint64_t piece_bytes = 0;  ///< of these, those of pieces
  bool ending = false;            ///< nothing more goes over it

  void started(std::uint64_t bytes) {
    unanswered_bytes += bytes;
    over->messages().call_started();
  }
  void ended(std::uint64_t bytes) {
    unanswered_bytes -= bytes;
    if (over != nullptr) over->messages().call_ended();
  }
};

}  // namespace firstlight
