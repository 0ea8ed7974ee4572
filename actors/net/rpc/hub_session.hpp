#pragma once
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/net/hub_link.hpp"
#include "actors/net/hub_link_actor.hpp"
#include "actors/net/kj_loop.hpp"
#include "actors/net/rpc/connection.hpp"
#include "actors/net/rpc/greetings.hpp"
#include "model/gathered_frames.hpp"
#include "schemas/protocol.capnp.h"

namespace firstlight {

/// One attempt of a node to be joined, from the first SYN to the loss of any of its connections: a session
/// whose control or bulk connection is lost is over as a whole, so both sides always agree on what is left to
/// send. Loop thread only.
class hub_session : public std::enable_shared_from_this<hub_session> {
 public:
  /// What happened, for the engine that owns this object. It may not destroy this object before it returns.
  class owner {
   public:
    virtual void joined() = 0;
    virtual void bulk_changed() = 0;
    /// Told once; all that follows is ignored.
    virtual void failed(error why) = 0;

    /// Unique over all sessions of the engine, so that a late answer finds nothing.
    virtual std::uint64_t next_id() = 0;

   protected:
    ~owner() = default;
  };

  /// `process` is the same for all sessions of one process.
  hub_session(kj_loop& loop, const hub_link_options& options, std::shared_ptr<tls_identity> tls,
              hub_link_shell link, std::string process, owner& told);
  /// 16 random bytes.
  [[nodiscard]] static std::string random_token();

  /// Dials control and bulk in parallel.
  void start();

  /// Goes out with the join when that has not been answered yet. Answered by `pull_answer`.
  void pull(std::uint64_t id, const pull_request& request);
  void wants(const want& what);
  void cancel(std::uint64_t delivery);
  void answer(std::uint64_t id, verdict what);
  /// Answered by `call_answer`.
  void call(std::uint64_t id, opaque_call which, const shared_bytes& bytes);
  /// To be called now and then: fails when nothing has been heard for too long, sends heartbeats.
  void watch(instant now);

  /// Ends it, as if its connections had been lost.
  void end(error why) { fail_with(std::move(why)); }

  /// What the link's status says of this session.
  void describe(link_status& status) const;

  // ---- for the sink of a bulk connection ------------------------------------------------------------

  /// `in_pieces`: so many bytes of its frame come by `piece`, before or after; 0: all are in it.
  kj::Promise<verdict> deliver(std::uint64_t delivery, result<toc_frame> toc, std::uint64_t in_pieces);
  using frame_of = gathered_frames::frame_of;
  /// What breaks the rules ends the session.
  void piece(const frame_of& which, std::uint64_t offset, std::vector<std::byte> bytes);
  kj::Promise<verdict> deliver(std::uint64_t delivery, result<segment> data);
  void deliver(incoming_landmark mark);
  void padding(std::uint64_t bytes) { padding_bytes_ += bytes; }

 private:
  struct dialled {
    kj::Own<connection> link;
    certificate_name peer;
  };
  struct queued_pull {
    std::uint64_t id;
    pull_request request;
  };
  class error_handler;

  /// A frame that comes in pieces.
  struct announced {
    toc_frame head;  ///< all but its bytes
    kj::Own<kj::PromiseFulfiller<kj::Promise<verdict>>> answered;
  };

  kj::Promise<dialled> dial();
  void dial_control();
  void dial_bulk();
  void dial_openings();
  capnp::Request<wire::Hub::AttachParams, wire::Hub::AttachResults> attach_over(connection& over);
  void opening_ready(dialled made);
  void control_ready(dialled control);
  void joined(const hub_welcome& welcome);
  void bulk_ready(dialled bulk, std::uint32_t index);
  void watch_end(connection& of, const char* which);
  void send_pull(std::uint64_t id, const pull_request& request);
  void ping(instant now);
  void fail_with(error why);
  template <class Request, class Read>
  void send_call(std::uint64_t id, Request request, Read read);
  template <class Remote, class Incoming>
  kj::Promise<verdict> hand_over(Incoming what, part_received part, std::uint64_t bytes);
  void confirm(const part_received& part);
  kj::Promise<verdict> gather(const frame_of& which, toc_frame head, std::uint64_t bytes);
  void deliver_if_whole(const frame_of& which);

  kj_loop& loop_;
  const hub_link_options& options_;
  std::shared_ptr<tls_identity> tls_;
  hub_link_shell link_;
  owner& owner_;
  std::string token_;
  std::string process_;

  kj::Own<connection> control_;
  std::vector<kj::Own<connection>> bulks_;
  std::list<kj::Own<connection>> openings_;
  std::uint32_t openings_dialled_ = 0;
  std::uint32_t bulks_dialled_ = 0;
  std::uint32_t bulks_attached_ = 0;
  wire::Session::Client session_ = nullptr;
  bool sent_join_ = false;
  bool joined_ = false;
  bool over_ = false;
  std::vector<queued_pull> queued_;
  std::map<std::uint64_t, kj::Own<kj::PromiseFulfiller<verdict>>> unanswered_;
  gathered_frames gathered_;
  std::map<frame_of, announced> announced_;

  std::string peer_;
  std::string congestion_;
  std::chrono::milliseconds silence_max_;
  std::uint64_t send_bytes_max_;
  std::uint64_t frame_bytes_ = 0;
  std::uint64_t padding_bytes_ = 0;
  instant started_;
  instant pinged_{};
  bool ping_open_ = false;

  kj::Own<kj::TaskSet::ErrorHandler> handler_;
  kj::TaskSet tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
