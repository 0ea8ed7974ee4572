#pragma once
#include <capnp/rpc-twoparty.h>
#include <capnp/serialize-async.h>
#include <kj/async-io.h>
#include <kj/timer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>

#include "model/bytes.hpp"
#include "model/instant.hpp"

namespace firstlight {

/// Cap'n Proto messages over one byte stream, for the RPC system. Beside the library's own stream it
/// - refuses a message that is too large before it allocates anything,
/// - gives out parts of a received message that outlive the RPC call and may be freed on any thread,
/// - sends frames from where they lie and keeps their owner exactly until they have been written,
/// - stops reading while too many replies wait unread, and
/// - tells when the far side was last heard.
/// Used on its loop's thread only; outlives the RPC network above it.
class message_stream final : public capnp::MessageStream {
 public:
  message_stream(kj::AsyncIoStream& stream, kj::Timer& timer, std::uint64_t receive_bytes_max);

  /// Reads no further while `network` has more than `queued_max` messages to send, beside the calls of this
  /// side.
  void throttle(capnp::TwoPartyVatNetwork& network, std::uint32_t queued_max);
  void call_started() { ++own_calls_; }
  void call_ended() { --own_calls_; }

  /// A reader for `referenceExternalData`, to be sent in the very next call. The bytes are copied only when
  /// not aligned to 8.
  [[nodiscard]] capnp::Data::Reader lend(const shared_bytes& frame);

  /// Bytes of a message that is being handled now, kept by their owner for as long as one likes.
  [[nodiscard]] shared_bytes keep(capnp::Data::Reader part) const;

  [[nodiscard]] instant last_heard() const { return last_heard_; }

  kj::Promise<kj::Maybe<capnp::MessageReaderAndFds>> tryReadMessage(
      kj::ArrayPtr<kj::AutoCloseFd> descriptors, capnp::ReaderOptions options,
      kj::ArrayPtr<capnp::word> scratch) override;
  kj::Promise<void> writeMessage(kj::ArrayPtr<const int> descriptors,
                                 kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments) override;
  kj::Promise<void> writeMessages(
      kj::ArrayPtr<kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>>> messages) override;
  kj::Maybe<int> getSendBufferSize() override;
  kj::Promise<void> end() override;

 private:
  using buffer = kj::Array<capnp::word>;
  using buffer_map = std::map<const capnp::word*, std::weak_ptr<const buffer>>;
  using read_result = kj::Maybe<capnp::MessageReaderAndFds>;
  using lent_map = std::unordered_multimap<const kj::byte*, shared_bytes>;
  struct incoming;
  struct outgoing;

  kj::Promise<read_result> read_table(kj::Own<incoming> message);
  kj::Promise<read_result> read_body(kj::Own<incoming> message);
  kj::Promise<void> read_exactly(kj::byte* into, std::size_t bytes);
  read_result finish(kj::Own<incoming> message);
  lent_map::iterator find_lent(kj::ArrayPtr<const capnp::word> segment);
  void pack(kj::ArrayPtr<const kj::ArrayPtr<const capnp::word>> segments, outgoing& packed);

  kj::AsyncIoStream& stream_;
  kj::Timer& timer_;
  std::uint64_t receive_bytes_max_;
  capnp::TwoPartyVatNetwork* network_ = nullptr;
  std::uint32_t queued_max_ = 0;
  std::uint32_t own_calls_ = 0;
  instant last_heard_ = std::chrono::steady_clock::now();
  lent_map lent_;
  // Shared with the readers that the RPC system holds: a call may outlive its connection.
  std::shared_ptr<buffer_map> received_ = std::make_shared<buffer_map>();
};

}  // namespace firstlight
