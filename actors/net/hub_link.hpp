#pragma once
#include <functional>

#include "actors/interfaces.hpp"
#include "config/link_limits.hpp"
#include "config/tls_files.hpp"
#include "schemas/protocol_version.hpp"

namespace firstlight {

class kj_loop;

struct hub_link_options {
  std::string address;  ///< host:port, [v6]:port
  tls_files tls;
  link_limits limits;
  std::string software_version;
  std::uint32_t block_bytes = default_block_bytes;
  std::uint32_t protocol_version = firstlight::protocol_version;
  std::uint64_t seed = 0;  ///< of the jitter; 0: from the system
  /// Called on the loop's thread whenever a hub has been joined, with the PEM of the certificate that it says
  /// it signs with; nothing has been checked.
  std::function<void(const std::string& certificate_pem)> hub_signs_with;
};

/// Spawns the HUB LINK of a node (interfaces.hpp). It dials at once, keeps the connections open and joins
/// again with jittered backoff whenever any of them is lost. A pull made while it connects travels with the
/// join (TCP + TLS + one round trip); one made while it waits to try again fails at once with `unavailable`
/// and the reason. Ends on an exit message; `loop` outlives it. Errors: `not_found`/`corrupt` (TLS files),
/// `invalid_argument`.
[[nodiscard]] result<hub_link> spawn_hub_link(caf::actor_system& system, kj_loop& loop,
                                              hub_link_options options);

}  // namespace firstlight
