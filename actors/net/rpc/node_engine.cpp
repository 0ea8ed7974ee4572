#include "actors/net/rpc/node_engine.hpp"

#include <spdlog/spdlog.h>

#include <random>

namespace firstlight {
namespace {

constexpr std::uint32_t watches_per_silence = 12;

retry::random jitter(std::uint64_t seed) {
  std::mt19937_64 source(seed != 0 ? seed : std::random_device{}());
  return [source]() mutable { return std::uniform_real_distribution<double>(0, 1)(source); };
}

// Trying again soon would not help: an administrator has to do something first.
bool needs_an_administrator(errc code) {
  return code == errc::protocol || code == errc::denied;
}

}  // namespace

node_engine::node_engine(kj_loop& loop, hub_link_options options, std::shared_ptr<tls_identity> tls)
    : loop_(loop),
      options_(std::move(options)),
      tls_(std::move(tls)),
      retry_({options_.limits.backoff_first, options_.limits.backoff_max, 0}, jitter(options_.seed)) {
  past_.address = options_.address;
}

void node_engine::start(hub_link_shell link) {
  link_ = std::move(link);
  tasks_ = kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this));
  watched_ = std::chrono::steady_clock::now();
  tasks_->add(watch());
  dial();
}

void node_engine::taskFailed(kj::Exception&& thrown) {
  spdlog::error("node: the link's own task failed: {}", thrown.getDescription().cStr());
}

// ---- sessions ---------------------------------------------------------------------------------------

void node_engine::dial() {
  announce(link_state::connecting, {});
  session_ = std::make_shared<hub_session>(loop_, options_, tls_, link_, process_, *this);
  session_->start();
}

void node_engine::announce(link_state now, std::string why) {
  past_.state = now;
  caf::anon_send(link_, link_news{{now, std::move(why)}});
}

void node_engine::joined() {
  retry_.succeeded();
  if (joined_once_) ++past_.reconnects;
  joined_once_ = true;
  past_.last_error.clear();
  announce(link_state::up, {});
  spdlog::info("node: joined the hub at {}", options_.address);
}

std::chrono::milliseconds node_engine::pause_after(const error& why) {
  const auto pause = retry_.failed().value_or(options_.limits.backoff_max);
  return needs_an_administrator(why.code) ? options_.limits.backoff_max : pause;
}

void node_engine::failed(error why) {
  auto over = std::move(session_);
  link_status counted;
  over->describe(counted);
  past_.bytes_received += counted.bytes_received;
  past_.padding_bytes += counted.padding_bytes;
  past_.last_error = to_string(why);
  const auto pause = pause_after(why);
  if (failures_.pass())
    spdlog::warn("node: no link to the hub at {}: {}; trying again in {} ms", options_.address,
                 past_.last_error, pause.count());
  announce(link_state::down, past_.last_error);
  // The session is inside one of its own promises now.
  loop_.post([over = std::move(over)]() mutable { over.reset(); });
  tasks_->add(loop_.timer().afterDelay(pause.count() * kj::MILLISECONDS).then([this] { dial(); }));
}

kj::Promise<void> node_engine::watch() {
  const auto period =
      std::max(options_.limits.silence_max / watches_per_silence, std::chrono::milliseconds(2));
  return loop_.timer().afterDelay(period.count() * kj::MILLISECONDS).then([this] {
    const auto now = std::chrono::steady_clock::now();
    // After a pause of this whole process what has been received must be read before the hub is called
    // silent.
    if (session_ && now - watched_ < options_.limits.silence_max / 2) session_->watch(now);
    watched_ = now;
    return watch();
  });
}

// ---- for the link actor -----------------------------------------------------------------------------

void node_engine::pull(std::uint64_t id, const pull_request& request) {
  if (session_) return session_->pull(id, request);
  caf::anon_send(link_, pull_answer{id, fail(errc::unavailable, "no link to the hub: " + past_.last_error)});
}

void node_engine::wants(const want& what) {
  if (session_) session_->wants(what);
}

void node_engine::cancel(std::uint64_t delivery) {
  if (session_) session_->cancel(delivery);
}

void node_engine::answer(std::uint64_t id, verdict what) {
  if (session_) session_->answer(id, std::move(what));
}

void node_engine::call(std::uint64_t id, opaque_call which, const shared_bytes& bytes) {
  if (session_) return session_->call(id, which, bytes);
  caf::anon_send(link_, call_answer{id, fail(errc::unavailable, "no link to the hub: " + past_.last_error)});
}

void node_engine::reconnect() {
  if (session_) session_->end({errc::unavailable, "an operator asked to connect anew"});
}

void node_engine::tell_status(std::uint64_t id) {
  auto status = past_;
  if (session_) session_->describe(status);
  if (session_) {
    status.bytes_received += past_.bytes_received;
    status.padding_bytes += past_.padding_bytes;
  }
  caf::anon_send(link_, status_answer{id, std::move(status)});
}

void node_engine::expire(std::uint64_t id, std::chrono::milliseconds time) {
  tasks_->add(loop_.timer().afterDelay(time.count() * kj::MILLISECONDS).then([this, id] {
    caf::anon_send(link_, join_expired{id});
  }));
}

}  // namespace firstlight
