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

kj::Promise<void> relay_streams(kj::Own<kj::AsyncIoStream> asking, kj::Own<kj::AsyncIoStream> answering) {
  auto failed = kj::newPromiseAndFulfiller<void>();
  auto asked = carry(*asking, *answering, *failed.fulfiller);
  auto answered = carry(*answering, *asking, *failed.fulfiller).eagerlyEvaluate(nullptr);
  return asked.exclusiveJoin(kj::mv(failed.promise))
      .attach(kj::mv(answered), kj::mv(failed.fulfiller), kj::mv(asking), kj::mv(answering));
}

}  // namespace firstlight
