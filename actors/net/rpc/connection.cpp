#include "actors/net/rpc/connection.hpp"

#include "actors/net/rpc/socket_options.hpp"

namespace firstlight {
namespace {

using capnp::rpc::twoparty::Side;
using capnp::rpc::twoparty::VatId;

capnp::ReaderOptions reader_options(const link_limits& limits) {
  capnp::ReaderOptions options;
  // Also the limit of what this side sends; what it receives is bounded by the message stream.
  options.traversalLimitInWords = limits.message_bytes_max / sizeof(capnp::word);
  return options;
}

int descriptor_of(kj::AsyncIoStream& stream) {
  KJ_IF_MAYBE (descriptor, stream.getFd()) return *descriptor;
  return -1;
}

capnp::RpcSystem<VatId> make_rpc(capnp::TwoPartyVatNetwork& network,
                                 kj::Maybe<capnp::Capability::Client> bootstrap) {
  KJ_IF_MAYBE (served, bootstrap) return capnp::makeRpcServer(network, kj::mv(*served));
  return capnp::makeRpcClient(network);
}

}  // namespace

connection::connection(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
                       kj::Maybe<capnp::Capability::Client> bootstrap, const link_limits& limits)
    : stream_(kj::mv(stream)),
      descriptor_(descriptor_of(*stream_)),
      limits_(limits),
      messages_(*stream_, timer,
                bootstrap == nullptr ? limits.message_bytes_max : limits.node_message_bytes_max),
      network_(messages_, bootstrap == nullptr ? Side::CLIENT : Side::SERVER, reader_options(limits)),
      rpc_(make_rpc(network_, bootstrap)),
      progress_at_(std::chrono::steady_clock::now()) {
  rpc_.setFlowLimit(limits.call_words_in_flight_max);
}

kj::Own<connection> connection::serve(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
                                      capnp::Capability::Client bootstrap, const link_limits& limits) {
  auto made = kj::heap<connection>(kj::mv(stream), timer, kj::mv(bootstrap), limits);
  made->messages_.throttle(made->network_, limits.replies_queued_max);
  return made;
}

kj::Own<connection> connection::use(kj::Own<kj::AsyncIoStream> stream, kj::Timer& timer,
                                    const link_limits& limits) {
  return kj::heap<connection>(kj::mv(stream), timer, nullptr, limits);
}

capnp::Capability::Client connection::bootstrap() {
  capnp::MallocMessageBuilder message;
  auto server = message.initRoot<VatId>();
  server.setSide(Side::SERVER);
  return rpc_.bootstrap(server);
}

kj::Promise<void> connection::ended() {
  return network_.onDisconnect().exclusiveJoin(kj::mv(closed_.promise)).catch_([](kj::Exception&&) {});
}

void connection::close() {
  closed_.fulfiller->fulfill();
}

bool connection::stuck(instant now) {
  const auto acknowledged = inspect_socket(descriptor_).bytes_acknowledged;
  if (network_.getCurrentQueueCount() == 0 || acknowledged != progress_) {
    progress_ = acknowledged;
    progress_at_ = now;
    return false;
  }
  return now - progress_at_ > limits_.queue_wait_max;
}

}  // namespace firstlight
