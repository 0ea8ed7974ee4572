#include "actors/net/rpc/admin_relay.hpp"

#include <spdlog/spdlog.h>

#include "actors/net/rpc/admin_connection.hpp"
#include "actors/net/rpc/relay_streams.hpp"

namespace firstlight {
namespace {

std::string listed_name(const certificate_name& peer) {
  return "admin:" + peer.name;
}

}  // namespace

admin_relay::admin_relay(kj_loop& loop, options configured)
    : loop_(loop),
      options_(std::move(configured)),
      revoked_(options_.revoked.begin(), options_.revoked.end()),
      tasks_(*this) {}

void admin_relay::accepted(acceptor::accepted stream) {
  if (const auto good = check(stream.peer); !good) return refuse(kj::mv(stream), good.error());
  lead(kj::mv(stream));
}

result<void> admin_relay::check(const certificate_name& peer) const {
  if (peer.role != "admin")
    return fail(errc::denied, "the " + options_.daemon +
                                  " is administered by the certificates of admins: 'firstlight pki issue "
                                  "admin NAME' makes one");
  if (revoked_.count(listed_name(peer)) > 0)
    return fail(errc::denied, "the certificate of admin " + peer.name + " has been revoked");
  if (led_ >= options_.limits.admin_connections_max)
    return fail(errc::busy, "the " + options_.daemon + " has link.admin_connections_max consoles; try again");
  return {};
}

void admin_relay::lead(acceptor::accepted stream) {
  ++led_;
  auto relayed = loop_.io()
                     .provider->getNetwork()
                     .parseAddress("unix:" + options_.socket)
                     .then([](kj::Own<kj::NetworkAddress> address) {
                       auto connecting = address->connect();
                       return connecting.attach(kj::mv(address));
                     })
                     .then([far = kj::mv(stream.stream)](kj::Own<kj::AsyncIoStream> own) mutable {
                       return relay_streams(kj::mv(far), kj::mv(own));
                     });
  tasks_.add(relayed
                 .catch_([](kj::Exception&&) {})  // the admin went away
                 .then([this] { --led_; }));
}

void admin_relay::refuse(acceptor::accepted stream, const error& why) {
  if (refusals_.pass()) spdlog::warn("{}: refused {}: {}", options_.daemon, stream.address, why.detail);
  if (refused_ >= options_.limits.admin_connections_max) return;  // closed by dropping it
  ++refused_;
  auto link = kj::heap<admin_connection>(kj::mv(stream.stream), options_.limits.node_message_bytes_max);
  auto told = link->write(why).then([&link = *link] { return link.end(); }).attach(kj::mv(link));
  tasks_.add(loop_.timer()
                 .timeoutAfter(options_.limits.join_timeout.count() * kj::MILLISECONDS, kj::mv(told))
                 .catch_([](kj::Exception&&) {})  // the other side went away, or does not
                 .then([this] { --refused_; }));
}

void admin_relay::taskFailed(kj::Exception&& thrown) {
  if (refusals_.pass())
    spdlog::error("{}: an admin's connection failed: {}", options_.daemon, thrown.getDescription().cStr());
}

}  // namespace firstlight
