#include "actors/net/rpc/acceptor.hpp"

#include <openssl/err.h>
#include <spdlog/spdlog.h>

#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/socket_options.hpp"

namespace firstlight {
namespace {

constexpr auto accept_retry = 100 * kj::MILLISECONDS;  // after a failed accept, e.g. out of descriptors

kj::Duration to_kj_duration(std::chrono::milliseconds time) {
  return time.count() * kj::MILLISECONDS;
}

}  // namespace

acceptor::acceptor(kj::AsyncIoContext& io, int descriptor, std::shared_ptr<tls_identity> tls,
                   options configured, kj::Function<void(accepted)> on_accepted)
    : timer_(io.provider->getTimer()),
      tls_(std::move(tls)),
      options_(std::move(configured)),
      on_accepted_(kj::mv(on_accepted)),
      port_(io.lowLevelProvider->wrapListenSocketFd(kj::AutoCloseFd(descriptor))),
      tasks_(*this) {
  tasks_.add(accept_next());
}

kj::Promise<void> acceptor::accept_next() {
  return port_->acceptAuthenticated().then(
      [this](kj::AuthenticatedStream stream) {
        begin(kj::mv(stream));
        return accept_next();
      },
      [this](kj::Exception&& thrown) {
        log_failure("accept", thrown);
        return timer_.afterDelay(accept_retry).then([this] { return accept_next(); });
      });
}

void acceptor::begin(kj::AuthenticatedStream stream) {
  if (handshakes_.size() >= options_.limits.handshakes_open_max) {
    handshakes_.begin()->second->fulfill();
    handshakes_.erase(handshakes_.begin());
  }
  int descriptor = -1;
  KJ_IF_MAYBE (found, stream.stream->getFd()) descriptor = *found;
  prepare_link_socket(descriptor, options_.limits);
  auto address = peer_address(descriptor);
  const auto id = next_handshake_++;
  auto abandon = kj::newPromiseAndFulfiller<void>();
  handshakes_.emplace(id, kj::mv(abandon.fulfiller));
  auto finished =
      tls_->context().wrapServer(kj::mv(stream)).then([this, address](kj::AuthenticatedStream secured) {
        auto peer = peer_name(secured);
        on_accepted_({kj::mv(secured.stream), std::move(peer), address});
      });
  auto limited = timer_.timeoutAfter(to_kj_duration(options_.limits.connect_timeout), kj::mv(finished));
  tasks_.add(limited.exclusiveJoin(kj::mv(abandon.promise))
                 .catch_([this, address](kj::Exception&& thrown) { log_failure(address, thrown); })
                 .then([this, id] { handshakes_.erase(id); }));
}

void acceptor::taskFailed(kj::Exception&& thrown) {
  log_failure("listener", thrown);
}

void acceptor::log_failure(const std::string& address, const kj::Exception& thrown) {
  ERR_clear_error();
  if (!failures_.pass()) return;
  const auto suppressed = failures_.take_suppressed();
  spdlog::warn("{}: connection from {} failed: {}{}", options_.name, address, from_kj(thrown).detail,
               suppressed > 0 ? " (" + std::to_string(suppressed) + " similar lines left out)" : "");
}

}  // namespace firstlight
