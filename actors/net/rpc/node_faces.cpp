#include "actors/net/rpc/node_faces.hpp"

#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/values.hpp"

namespace firstlight {
namespace {

class bulk_sink final : public wire::BulkSink::Server {
 public:
  bulk_sink(std::weak_ptr<hub_session> session, connection& over)
      : session_(std::move(session)), over_(over) {}

  kj::Promise<void> toc(TocContext context) override {
    const auto session = session_.lock();
    if (!session) return gone();
    auto params = context.getParams();
    auto answered = session->deliver(params.getDelivery(), read_toc(params.getToc(), over_.messages()),
                                     params.getInPieces());
    context.releaseParams();
    context.allowCancellation();
    return answered.then(
        [context](verdict what) mutable { write_verdict(context.getResults().initVerdict(), what); });
  }

  kj::Promise<void> segment(SegmentContext context) override {
    const auto session = session_.lock();
    if (!session) return gone();
    auto params = context.getParams();
    auto answered =
        session->deliver(params.getDelivery(), read_segment(params.getSegment(), over_.messages()));
    context.releaseParams();
    context.allowCancellation();
    return answered.then(
        [context](verdict what) mutable { write_verdict(context.getResults().initVerdict(), what); });
  }

  kj::Promise<void> landmark(LandmarkContext context) override {
    const auto session = session_.lock();
    if (!session) return gone();
    const auto mark = from_wire(context.getParams().getLandmark());
    if (!mark) return to_kj(mark.error());
    session->deliver(incoming_landmark{context.getParams().getDelivery(), *mark});
    return kj::READY_NOW;
  }

  kj::Promise<void> piece(PieceContext context) override {
    const auto session = session_.lock();
    if (!session) return gone();
    const auto params = context.getParams();
    if (params.getPart() > wire::TocPart::CONTENTS)
      return to_kj({errc::protocol, "a piece of a part of a TOC that there is not"});
    const auto bytes = std::as_bytes(std::span(params.getBytes().begin(), params.getBytes().size()));
    session->piece({params.getDelivery(), static_cast<toc_part>(params.getPart())}, params.getOffset(),
                   std::vector<std::byte>(bytes.begin(), bytes.end()));
    return kj::READY_NOW;
  }

  kj::Promise<void> padding(PaddingContext context) override {
    const auto session = session_.lock();
    if (!session) return gone();
    session->padding(context.getParams().getBytes().size());
    return kj::READY_NOW;
  }

 private:
  static kj::Exception gone() { return to_kj({errc::unavailable, "this session has ended"}); }

  std::weak_ptr<hub_session> session_;
  connection& over_;
};

class progress_sink final : public wire::ProgressSink::Server {
 public:
  progress_sink(hub_link_shell link, std::uint64_t delivery, const link_limits& limits)
      : link_(std::move(link)), delivery_(delivery), limits_(limits) {}

  kj::Promise<void> progress(ProgressContext context) override {
    auto what = read_progress(context.getParams().getProgress(), limits_);
    if (!what) return to_kj(what.error());
    caf::anon_send(link_, incoming_progress{delivery_, std::move(*what)});
    return kj::READY_NOW;
  }

 private:
  hub_link_shell link_;
  std::uint64_t delivery_;
  link_limits limits_;
};

}  // namespace

wire::BulkSink::Client make_bulk_sink(std::weak_ptr<hub_session> session, connection& over) {
  return kj::heap<bulk_sink>(std::move(session), over);
}

wire::ProgressSink::Client make_progress_sink(hub_link_shell link, std::uint64_t delivery,
                                              const link_limits& limits) {
  return kj::heap<progress_sink>(std::move(link), delivery, limits);
}

}  // namespace firstlight
