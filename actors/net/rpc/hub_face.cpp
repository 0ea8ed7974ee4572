#include "actors/net/rpc/hub_face.hpp"

#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/values.hpp"

namespace firstlight {
namespace {

/// A joined node's own session. A node that has gone answers `unavailable`.
class session_face final : public wire::Session::Server {
 public:
  session_face(std::weak_ptr<joined_node> node, const link_limits& limits)
      : node_(std::move(node)), limits_(limits) {}

  kj::Promise<void> ping(PingContext /*context*/) override { return kj::READY_NOW; }

  kj::Promise<void> pull(PullContext context) override {
    auto request = read_pull(context.getParams().getRequest(), limits_);
    if (!request) return to_kj(request.error());
    auto node = node_.lock();
    if (!node) return gone();
    auto progress = context.getParams().getProgress();
    const auto openings = context.getParams().getOpenings();
    context.releaseParams();
    context.allowCancellation();
    return node->pull(std::move(*request), kj::mv(progress), openings)
        .then([context](pull_started started) mutable {
          write_started(context.getResults().initStarted(), started);
        });
  }

  kj::Promise<void> want(WantContext context) override {
    auto runs = read_runs(context.getParams().getRuns());
    if (!runs) return to_kj(runs.error());
    auto node = node_.lock();
    if (!node) return gone();
    const auto how = context.getParams().getAgain() ? urgency::again : urgency::normal;
    node->wants({context.getParams().getDelivery(), std::move(*runs), how});
    return kj::READY_NOW;
  }

  kj::Promise<void> received(ReceivedContext context) override {
    auto node = node_.lock();
    if (!node) return gone();
    const auto params = context.getParams();
    const auto sequence = params.getSequence();
    if (params.getToc() && sequence > static_cast<std::uint32_t>(toc_part::contents))
      return to_kj({errc::protocol, "a part of a TOC that there is not"});
    if (params.getToc())
      node->received({params.getDelivery(), static_cast<toc_part>(sequence)});
    else
      node->received({params.getDelivery(), sequence});
    return kj::READY_NOW;
  }

  kj::Promise<void> trace(TraceContext context) override {
    auto node = node_.lock();
    if (!node) return gone();
    auto bytes = copy_data(context.getParams().getTrace());
    context.releaseParams();
    return node->call(opaque_call::trace, std::move(bytes)).ignoreResult();
  }

  kj::Promise<void> ask(AskContext context) override {
    auto node = node_.lock();
    if (!node) return gone();
    auto bytes = copy_data(context.getParams().getQuestion());
    context.releaseParams();
    return node->call(opaque_call::ask, std::move(bytes)).then([context](shared_bytes answer) mutable {
      context.getResults().setAnswer(
          {reinterpret_cast<const kj::byte*>(answer.bytes.data()), answer.bytes.size()});
    });
  }

  kj::Promise<void> cancel(CancelContext context) override {
    auto node = node_.lock();
    if (!node) return gone();
    node->cancel(context.getParams().getDelivery());
    return kj::READY_NOW;
  }

 private:
  static kj::Exception gone() { return to_kj({errc::unavailable, "this session has ended"}); }

  std::weak_ptr<joined_node> node_;
  link_limits limits_;
};

class hub_face final : public wire::Hub::Server {
 public:
  hub_face(hub_engine& engine, hub_engine::connection_id from, std::string refused, const link_limits& limits)
      : engine_(engine), from_(from), refused_(std::move(refused)), limits_(limits) {}

  kj::Promise<void> join(JoinContext context) override {
    if (!refused_.empty()) return to_kj({errc::denied, refused_});
    auto node = engine_.join(from_, context.getParams().getHello());
    if (!node) return to_kj(node.error());
    auto results = context.getResults();
    engine_.welcome(results.initWelcome());
    results.setSession(kj::heap<session_face>(*node, limits_));
    return kj::READY_NOW;
  }

  kj::Promise<void> attach(AttachContext context) override {
    if (!refused_.empty()) return to_kj({errc::denied, refused_});
    const auto token = context.getParams().getSession().asChars();
    auto sink = context.getParams().getSink();
    context.allowCancellation();
    const auto role = context.getParams().getOpening() ? bulk_role::opening : bulk_role::standing;
    return engine_.attach(from_, std::string(token.begin(), token.size()), kj::mv(sink), role);
  }

 private:
  hub_engine& engine_;
  hub_engine::connection_id from_;
  std::string refused_;
  link_limits limits_;
};

}  // namespace

wire::Hub::Client make_hub_face(hub_engine& engine, hub_engine::connection_id from, std::string refused,
                                const link_limits& limits) {
  return kj::heap<hub_face>(engine, from, std::move(refused), limits);
}

}  // namespace firstlight
