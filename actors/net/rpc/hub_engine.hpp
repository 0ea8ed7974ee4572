#pragma once
#include <set>
#include <unordered_map>

#include "actors/net/hub_listener.hpp"
#include "actors/net/rpc/acceptor.hpp"
#include "actors/net/rpc/admin_relay.hpp"
#include "actors/net/rpc/greetings.hpp"
#include "actors/net/rpc/joined_node.hpp"

namespace firstlight {

enum class bulk_role : std::uint8_t {
  standing,
  opening,  ///< carries pieces alone: see opening_connections.hpp
};

/// All connections and joined nodes of one hub. Made on any thread, then the loop's only.
class hub_engine final : private kj::TaskSet::ErrorHandler {
 public:
  hub_engine(caf::actor_system& system, kj_loop& loop, hub_listener_options options,
             node_session_factory make_session, std::shared_ptr<tls_identity> tls);
  ~hub_engine();

  /// Takes the listening socket over.
  void start(int descriptor);

  using connection_id = std::uint64_t;

  // ---- what a connection's peer asks for ------------------------------------------------------------

  result<std::shared_ptr<joined_node>> join(connection_id from, wire::NodeHello::Reader said);
  void welcome(wire::HubWelcome::Builder out) const;
  kj::Promise<void> attach(connection_id from, std::string token, wire::BulkSink::Client sink,
                           bulk_role role);

 private:
  struct peer {
    kj::Own<connection> link;
    std::string name;
    bool is_hub = false;
    std::string address;
    instant accepted;
    std::shared_ptr<joined_node> node;  // once joined or attached
    bool control = false;
    bool opening = false;
    std::string end_reason = "the connection ended";
  };
  struct waiting_attach {
    connection_id from;
    std::string name;
    std::string token;
    kj::Own<kj::PromiseFulfiller<void>> joined;
  };

  void taskFailed(kj::Exception&& thrown) override;
  void accepted(acceptor::accepted stream);
  std::string refusal(const certificate_name& name) const;
  result<node_hello> check(wire::NodeHello::Reader said, const peer& from) const;
  result<void> check_alone(const std::string& process, const peer& from) const;
  void attach_now(connection_id from, wire::BulkSink::Client sink, bulk_role role);
  std::string prepare_standing(const peer& one) const;
  void forget_waiting(connection_id from);
  void end(connection_id id, const std::string& why);
  void ended(connection_id id);
  void drop_node(const std::shared_ptr<joined_node>& node, const std::string& why);
  kj::Promise<void> watch();
  void watch_one(connection_id id, peer& one, instant now);

  caf::actor_system& system_;
  kj_loop& loop_;
  hub_listener_options options_;
  node_session_factory make_session_;
  std::shared_ptr<tls_identity> tls_;
  std::set<std::string> revoked_;

  std::unordered_map<std::string, std::shared_ptr<joined_node>> nodes_;
  std::map<connection_id, peer> peers_;
  connection_id next_peer_ = 1;
  std::vector<waiting_attach> waiting_;
  std::string bulk_congestion_;  // of the last control connection
  instant watched_{};
  log_limit refusals_;
  kj::Maybe<kj::Own<admin_relay>> admins_;
  kj::Maybe<kj::Own<acceptor>> acceptor_;
  kj::Maybe<kj::Own<kj::TaskSet>> tasks_;  // last: its tasks refer to all the above
};

}  // namespace firstlight
