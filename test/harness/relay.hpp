#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace firstlight::test {

/// A TCP relay on loopback between a client and a server, to make networks fail on command. One thread of its
/// own; every member may be called from any thread and takes effect for all connections, old and new.
class relay {
 public:
  /// Listens on 127.0.0.1:`listen_port` (0: any) and dials 127.0.0.1:`target_port` for each connection.
  /// Throws std::system_error.
  explicit relay(std::uint16_t target_port, std::uint16_t listen_port = 0);
  ~relay();
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// Each byte waits this long, so a round trip costs twice as much. The SYN is not delayed: see
  /// `connects_late`.
  void delay(std::chrono::microseconds one_way);
  /// A new connection's first bytes wait one round trip more, as a TCP handshake over the delayed link would.
  void connects_late(bool late);
  /// Bytes a second of each direction over all connections; 0: unlimited.
  void rate(std::uint64_t bytes_per_second);
  /// Swallows nothing and passes nothing: a black hole until `resume`.
  void stop();
  /// The same for what the server sends alone: a client that speaks and does not read.
  void stop_to_client();
  void resume();
  enum class cut_how : std::uint8_t { close, reset };
  /// Ends all present connections but the `kept` oldest.
  void cut(cut_how how = cut_how::reset, std::size_t kept = 0);
  /// Whether new connections are accepted (true at first); otherwise they are reset at once.
  void accept_new(bool yes);
  /// Resets all connections after the first `count`, counted from the relay's begin.
  void accept_first(std::uint64_t count);
  /// Inverts one bit of the byte `offset` bytes from now in the stream towards the client.
  void flip_bit_to_client(std::uint64_t offset);
  void retarget(std::uint16_t target_port);

  [[nodiscard]] std::uint64_t bytes_to_client() const;
  [[nodiscard]] std::uint64_t bytes_to_server() const;
  [[nodiscard]] std::uint64_t connections_seen() const;
  [[nodiscard]] std::uint32_t connections_open() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace firstlight::test
