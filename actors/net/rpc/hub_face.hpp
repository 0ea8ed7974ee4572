#pragma once
#include "actors/net/rpc/hub_engine.hpp"

namespace firstlight {

/// What a connection's peer may call: `Hub` of protocol.capnp. `refused` is why it may not, or empty.
/// Loop thread; `engine` outlives every connection.
[[nodiscard]] wire::Hub::Client make_hub_face(hub_engine& engine, hub_engine::connection_id from,
                                              std::string refused, const link_limits& limits);

}  // namespace firstlight
