#pragma once
#include <chrono>
#include <string>

#include "config/link_limits.hpp"
#include "model/result.hpp"
#include "schemas/protocol.capnp.h"

/// How a node and its hub greet each other: the first messages of protocol.capnp as values.
namespace firstlight {

/// Bytes of `node_hello::session`, and at most of `node_hello::process`.
inline constexpr std::size_t token_bytes = 16;

/// What the sender of a greeting can take. Zeros: it does not say.
struct greeted_limits {
  std::uint32_t message_bytes_max = 0;
  std::chrono::milliseconds heartbeat{0};
  friend bool operator==(const greeted_limits&, const greeted_limits&) = default;
};

struct node_hello {
  std::uint32_t protocol_version = 0;
  std::string software_version;
  std::string session;  ///< `token_bytes` random bytes
  std::uint32_t block_bytes = 0;
  greeted_limits limits;
  std::uint32_t bulk_connections = 0;
  std::string process;  ///< random bytes; empty: of a node that does not tell its processes apart
  friend bool operator==(const node_hello&, const node_hello&) = default;
};

/// What the hub itself has.
struct hello_wanted {
  std::uint32_t protocol_version;
  std::uint32_t block_bytes;
  std::uint32_t text_bytes_max;
};

struct hub_welcome {
  std::uint32_t protocol_version = 0;
  std::string software_version;
  greeted_limits limits;
  std::string hub_name;
  std::string bulk_congestion;  ///< of at most `congestion_name_bytes_max`
  std::string signs_with;       ///< PEM of at most `certificate_bytes_max`; may be empty
  friend bool operator==(const hub_welcome&, const hub_welcome&) = default;
};

/// Longer than the kernel's names (TCP_CA_NAME_MAX).
inline constexpr std::size_t congestion_name_bytes_max = 32;

void write_hello(wire::NodeHello::Builder out, const node_hello& hello);
/// Errors: `protocol`, the version first: what another one means by the other fields is not known.
[[nodiscard]] result<node_hello> read_hello(wire::NodeHello::Reader in, const hello_wanted& wanted);

void write_welcome(wire::HubWelcome::Builder out, const hub_welcome& welcome);
/// Never refuses: a hub that has let the node in is right. Names are cut at their limits, a certificate
/// above its limit is left out.
[[nodiscard]] hub_welcome read_welcome(wire::HubWelcome::Reader in, const link_limits& limits);

}  // namespace firstlight
