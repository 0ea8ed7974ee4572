#pragma once
#include "actors/net/rpc/hub_session.hpp"

namespace firstlight {

/// What the hub may call over one bulk connection of a node. `over` outlives its calls; a session that is
/// over answers `unavailable`.
[[nodiscard]] wire::BulkSink::Client make_bulk_sink(std::weak_ptr<hub_session> session, connection& over);

/// What the hub may call while a pull waits.
[[nodiscard]] wire::ProgressSink::Client make_progress_sink(hub_link_shell link, std::uint64_t delivery,
                                                            const link_limits& limits);

}  // namespace firstlight
