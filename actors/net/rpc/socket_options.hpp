#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "config/link_limits.hpp"

namespace firstlight {

/// Sets what every socket between machines has: no delay, keepalive, a limit for unacknowledged bytes. What
/// the kernel refuses stays as it is: none of it is needed for correctness.
void prepare_link_socket(int descriptor, const link_limits& limits);

/// For bulk: little unsent data in the kernel, so that what is urgent overtakes; and a congestion control.
/// @returns the congestion control that the socket now has, as the kernel calls it
std::string prepare_bulk_socket(int descriptor, const link_limits& limits,
                                const std::string& congestion_control);

/// How fast a socket may send, in bytes per second, whatever its congestion control says; nothing: no limit.
/// Source: SO_MAX_PACING_RATE of socket(7).
void pace_socket(int descriptor, std::optional<double> bytes_per_second);

/// What the kernel knows of a connection.
struct socket_state {
  std::chrono::microseconds round_trip{0};  ///< smoothed; 0 when not known
  std::uint64_t bytes_acknowledged = 0;
  double bandwidth = 0;            ///< bytes per second, as BBR has measured it; 0 when not known
  std::uint64_t window_bytes = 0;  ///< the congestion window: so much may be on its way
};
[[nodiscard]] socket_state inspect_socket(int descriptor);

/// "address:port" of the far side, or "unknown".
[[nodiscard]] std::string peer_address(int descriptor);

}  // namespace firstlight
