#pragma once
#include <chrono>
#include <cstdint>

namespace firstlight {

/// Limits of the connections between hub and node, and of those that come from other machines for metrics or
/// administration. Hub and node exchange theirs on joining.
struct link_limits {
  std::chrono::milliseconds silence_max{10'000};      ///< a silent peer is considered gone after this
  std::chrono::milliseconds connect_timeout{10'000};  ///< TCP and TLS handshake together
  std::chrono::milliseconds join_timeout{10'000};     ///< from the handshake to the join
  std::chrono::milliseconds queue_wait_max{
      30'000};                                   ///< queued bytes without any progress: the peer is dropped
  std::chrono::milliseconds backoff_first{100};  ///< before the first reconnect; doubles, jittered
  std::chrono::milliseconds backoff_max{15'000};
  std::uint32_t handshakes_open_max = 320;             ///< incoming TLS handshakes at once
  std::uint32_t nodes_max = 4096;                      ///< hub: joined nodes
  std::uint32_t admin_connections_max = 32;            ///< of consoles on other machines
  std::uint32_t connections_per_node_max = 24;         ///< hub: connections with one certificate name
  std::uint32_t pulls_per_node_max = 64;               ///< hub: unanswered pulls of one node
  std::uint32_t message_bytes_max = 64U << 20U;        ///< largest message accepted; above any segment or TOC
  std::uint32_t node_message_bytes_max = 8U << 20U;    ///< hub: largest message accepted from a node
  std::uint32_t call_words_in_flight_max = 1U << 20U;  ///< capnp flow limit of a connection
  std::uint32_t replies_queued_max = 64;               ///< hub: unread replies before it stops reading
  std::uint32_t outgoing_waiting_max = 256;  ///< hub: transfers kept until a bulk connection is there
  std::uint32_t bulk_connections = 1;        ///< node: with BBR on the far side one is enough; hubs: none
  std::uint32_t opening_connections = 6;     ///< node: besides, for the TOC of a pull that waits for the join
  std::chrono::milliseconds opening_time{2'000};       ///< hub: then it ends those that it does not use
  std::uint32_t bulk_connections_without_bbr = 8;      ///< node: striped where the hub's kernel has no BBR
  std::uint32_t unsent_low_water_bytes = 192U << 10U;  ///< TCP_NOTSENT_LOWAT of bulk sockets
  std::uint32_t text_bytes_max = 4096;                 ///< names, references, stages in a message
  std::uint32_t login_bytes_max = 32U << 10U;          ///< hub: each part of a login in a pull
  std::uint32_t had_images_max = 1024;                 ///< images named in one pull
};

}  // namespace firstlight
