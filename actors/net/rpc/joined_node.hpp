#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "actors/net/kj_loop.hpp"
#include "actors/net/node_link_actor.hpp"
#include "actors/net/rpc/opening_connections.hpp"
#include "schemas/protocol.capnp.h"

namespace firstlight {

/// One joined node on the transport's thread: its bulk connections, what has been sent over them and is not
/// answered yet, and its open pulls. Its link actor is told everything in the order in which it happened.
/// Loop thread only.
class joined_node : public std::enable_shared_from_this<joined_node> {
 public:
  struct options {
    std::string name;
    std::string token;    ///< NodeHello.session
    std::string process;  ///< NodeHello.process; may be empty
    link_limits limits;
    kj::Function<void(const std::string& why)> close;  ///< ends all connections of this node
  };
  explicit joined_node(options configured);
  ~joined_node();

  /// Before anything below.
  void set_link(node_link_shell link) { link_ = std::move(link); }

  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const std::string& token() const { return options_.token; }
  [[nodiscard]] const std::string& process() const { return options_.process; }

  /// The reason that the session is told when this object ends.
  void gone(std::string why) { why_ = std::move(why); }
  void close(const std::string& why) { options_.close(why); }

  // ---- called for the link actor; each `id` is answered once by `link_answer` --------------------

  void send(std::uint64_t id, outgoing_toc what);
  void send(std::uint64_t id, outgoing_segment what);
  void send(std::uint64_t id, outgoing_padding what);
  void send(outgoing_landmark what);
  void pace(outgoing_pace what);
  void answer_pull(std::uint64_t id, result<pull_started> outcome);
  void answer_call(std::uint64_t id, const result<shared_bytes>& outcome);
  void progress(incoming_progress what);

  // ---- called for the node's connections ----------------------------------------------------------

  /// `over` lives as long as this object, or until this object is destroyed because `over` ended.
  void attach(connection& over, wire::BulkSink::Client sink, const std::string& congestion_control);
  /// The same, for a connection that ends before this object by `lost_opening`.
  void attach_opening(connection& over, wire::BulkSink::Client sink) { openings_.attach(over, kj::mv(sink)); }
  void lost_opening(const connection& over) { openings_.lost(over); }
  [[nodiscard]] bool uses_openings() const { return openings_.busy(); }
  /// `openings` more connections are being opened for it.
  kj::Promise<pull_started> pull(pull_request request, wire::ProgressSink::Client progress,
                                 std::uint32_t openings);
  kj::Promise<shared_bytes> call(opaque_call which, shared_bytes bytes);
  void wants(want what);
  void received(part_received part);
  void cancel(std::uint64_t delivery);

 private:
  using shared_carrier = std::shared_ptr<carrier>;
  struct open_pull {
    std::uint64_t delivery;
    kj::Own<kj::PromiseFulfiller<pull_started>> started;
    wire::ProgressSink::Client sink;
    bool telling = false;
    std::optional<pull_progress> latest;  ///< came while one was on its way
  };
  bool refuse_oversized(std::uint64_t id, const shared_bytes& frame);
  shared_carrier least_loaded();
  template <class What>
  bool postpone(std::uint64_t id, const What& what);
  void track(std::uint64_t id, const shared_carrier& over, std::uint64_t bytes, instant started,
             kj::Promise<result<verdict>> call);
  kj::Promise<result<verdict>> pad(carrier& over, std::uint32_t bytes);
  void answer(std::uint64_t id, delivered outcome, std::optional<error> failure = {});
  void tell(std::uint64_t id);

  options options_;
  node_link_shell link_;
  std::string why_ = "the connection ended";
  opening_connections::carriers bulks_;
  opening_connections openings_{bulks_, options_.limits};
  outgoing_pace pace_;
  std::deque<kj::Function<void()>> waiting_;
  std::map<std::uint64_t, open_pull> pulls_;
  std::uint64_t next_pull_ = 1;
  std::map<std::uint64_t, kj::Own<kj::PromiseFulfiller<shared_bytes>>> opaque_calls_;  ///< not answered
  std::uint64_t next_call_ = 1;
  kj::Own<kj::TaskSet::ErrorHandler> log_;
  kj::TaskSet calls_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
