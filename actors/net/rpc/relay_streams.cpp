#include "actors/net/rpc/relay_streams.hpp"

#include <cstdint>

namespace firstlight {
namespace {

kj::Promise<void> carry(kj::AsyncIoStream& from, kj::AsyncIoStream& to, kj::PromiseFulfiller<void>& failed) {
  return from.pumpTo(to)
      .then([&to](std::uint64_t) { to.shutdownWrite(); })
      .catch_([&failed](kj::Exception&& thrown) { failed.reject(kj::mv(thrown)); });
}

}  // namespace

kj::Promise<void> relay_streams(kj::Own<kj::AsyncIoStream> one, kj::Own<kj::AsyncIoStream> other) {
  // Whoever goes away without a word ends the other direction, too.
  auto failed = kj::newPromiseAndFulfiller<void>();
  auto ways = kj::heapArrayBuilder<kj::Promise<void>>(2);
  ways.add(carry(*one, *other, *failed.fulfiller));
  ways.add(carry(*other, *one, *failed.fulfiller));
  return kj::joinPromises(ways.finish())
      .exclusiveJoin(kj::mv(failed.promise))
      .attach(kj::mv(failed.fulfiller), kj::mv(one), kj::mv(other));
}

}  // namespace firstlight
