#pragma once
#include <capnp/rpc-twoparty.h>

#include "actors/net/rpc/message_stream.hpp"
#include "actors/net/rpc/tls.hpp"
#include "config/link_limits.hpp"

namespace firstlight {

/// One authenticated connection with its RPC system. Lives on its loop's thread. Ends by being destroyed;
/// `ended` resolves when the far side is gone or `close` was called.
class connection {
 public:
  /// The side that was dialled, with what the far side gets by bootstrap; reads at most `receive_bytes_max` a
  /// message and stops reading while its replies are not read.
  static kj::Own<connection> serve(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
                                   capnp::Capability::Client bootstrap, const link_limits& limits);
  /// The side that dialled.
  static kj::Own<connection> use(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
                                 const link_limits& limits);

  ~connection() noexcept(false) = default;

  /// What the far side offers.
  [[nodiscard]] capnp::Capability::Client bootstrap();

  /// To be called once. Never throws.
  [[nodiscard]] kj::Promise<void> ended();
  void close();

  [[nodiscard]] message_stream& messages() { return messages_; }
  [[nodiscard]] const message_stream& messages() const { return messages_; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// True when queued bytes have made no progress for `queue_wait_max`. To be asked now and then.
  [[nodiscard]] bool stuck(instant now);

  connection(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
             kj::Maybe<capnp::Capability::Client> bootstrap, const link_limits& limits);

 private:
  kj::Own<kj::AsyncIoStream> stream_;
  int descriptor_ = -1;
  link_limits limits_;
  message_stream messages_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
  kj::PromiseFulfillerPair<void> closed_ = kj::newPromiseAndFulfiller<void>();
  std::uint64_t progress_ = 0;  // bytes acknowledged at the last look
  instant progress_at_;
};

}  // namespace firstlight
