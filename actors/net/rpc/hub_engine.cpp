#include "actors/net/rpc/hub_engine.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/hub_face.hpp"
#include "actors/net/rpc/socket_options.hpp"
#include "schemas/protocol_version.hpp"

namespace firstlight {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr std::uint32_t watches_per_silence = 4;

/// A hub and a node may have the same name.
std::string listed_name(const certificate_name& name) {
  return name.role == "hub" ? "hub:" + name.name : name.name;
}

std::chrono::milliseconds watch_period(const link_limits& limits) {
  return std::max(limits.silence_max / watches_per_silence, std::chrono::milliseconds(5));
}

}  // namespace

hub_engine::hub_engine(caf::actor_system& system, kj_loop& loop, hub_listener_options options,
                       node_session_factory make_session, std::shared_ptr<tls_identity> tls)
    : system_(system),
      loop_(loop),
      options_(std::move(options)),
      make_session_(std::move(make_session)),
      tls_(std::move(tls)),
      revoked_(options_.revoked_nodes.begin(), options_.revoked_nodes.end()) {}

hub_engine::~hub_engine() {
  tasks_ = nullptr;
  acceptor_ = nullptr;
  admins_ = nullptr;
  for (auto& [name, node] : nodes_) node->gone("the hub is stopping");
  // Nodes before connections: their calls refer to them.
  for (auto& [id, one] : peers_) one.node = nullptr;
  nodes_.clear();
}

void hub_engine::start(int descriptor) {
  auto tasks = kj::heap<kj::TaskSet>(static_cast<kj::TaskSet::ErrorHandler&>(*this));
  watched_ = std::chrono::steady_clock::now();
  tasks->add(watch());
  tasks_ = kj::mv(tasks);
  if (!options_.admin_socket.empty())
    admins_ = kj::heap<admin_relay>(
        loop_, admin_relay::options{"hub", options_.admin_socket, options_.limits, options_.revoked_nodes});
  acceptor_ = kj::heap<acceptor>(loop_.io(), descriptor, tls_, acceptor::options{options_.limits},
                                 [this](acceptor::accepted stream) { accepted(kj::mv(stream)); });
}

void hub_engine::taskFailed(kj::Exception&& thrown) {
  if (refusals_.pass()) spdlog::error("hub: a connection's task failed: {}", thrown.getDescription().cStr());
}

// ---- connections ------------------------------------------------------------------------------------

std::string hub_engine::refusal(const certificate_name& name) const {
  if (name.role != "node" && name.role != "hub") return "this certificate is not a node's";
  if (name.name.empty() || name.name.size() > name_bytes_max)
    return "the node's certificate has no usable name";
  if (revoked_.count(name.name) > 0) return "the certificate of node " + name.name + " has been revoked";
  const auto same = std::count_if(peers_.begin(), peers_.end(),
                                  [&](const auto& one) { return one.second.name == listed_name(name); });
  if (static_cast<std::uint64_t>(same) >= options_.limits.connections_per_node_max)
    return "node " + name.name + " has too many connections";
  return {};
}

void hub_engine::accepted(acceptor::accepted stream) {
  KJ_IF_MAYBE (admins, admins_)
    if (stream.peer.role == "admin") return (*admins)->accepted(kj::mv(stream));
  const auto refused = refusal(stream.peer);
  if (!refused.empty() && refusals_.pass()) spdlog::warn("hub: refused {}: {}", stream.address, refused);
  const auto id = next_peer_++;
  auto link = connection::serve(kj::mv(stream.stream), loop_.timer(),
                                make_hub_face(*this, id, refused, options_.limits), options_.limits);
  auto ending = link->ended().then([this, id] { ended(id); });
  peer one;
  one.link = kj::mv(link);
  one.name = refused.empty() ? listed_name(stream.peer) : std::string();
  one.is_hub = stream.peer.role == "hub";
  one.address = std::move(stream.address);
  one.accepted = std::chrono::steady_clock::now();
  peers_.emplace(id, std::move(one));
  KJ_IF_MAYBE (tasks, tasks_) (*tasks)->add(kj::mv(ending));
}

void hub_engine::end(connection_id id, const std::string& why) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  found->second.end_reason = why;
  found->second.link->close();
}

void hub_engine::ended(connection_id id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  const auto& one = found->second;
  if (one.node && one.opening)
    one.node->lost_opening(*one.link);
  else if (one.node)
    drop_node(one.node, one.end_reason);
  forget_waiting(id);
  peers_.erase(id);
}

void hub_engine::drop_node(const std::shared_ptr<joined_node>& node, const std::string& why) {
  node->gone(why);
  const auto held = node;
  if (const auto listed = nodes_.find(held->name()); listed != nodes_.end() && listed->second == held)
    nodes_.erase(listed);
  for (auto& [id, one] : peers_) {
    if (one.node != held) continue;
    one.node = nullptr;
    end(id, why);
  }
  spdlog::info("hub: node {} is gone: {}", held->name(), why);
}

// ---- joining ----------------------------------------------------------------------------------------

result<node_hello> hub_engine::check(wire::NodeHello::Reader said, const peer& from) const {
  if (revoked_.count(from.name) > 0) return fail(errc::denied, "this node's certificate has been revoked");
  if (from.node) return fail(errc::protocol, "this connection has joined already");
  auto hello = read_hello(said, {protocol_version, options_.block_bytes, options_.limits.text_bytes_max});
  if (!hello) return hello;
  if (nodes_.size() >= options_.limits.nodes_max && nodes_.count(from.name) == 0)
    return fail(errc::busy, "the hub has all the nodes that it may have (nodes_max)");
  if (auto alone = check_alone(hello->process, from); !alone) return tl::unexpected(alone.error());
  return hello;
}

/// Two processes with one certificate would throw each other out on and on: the one that is there stays. One
/// whose machine has died is silent soon; one that has lost its link joins again as the process that it was.
result<void> hub_engine::check_alone(const std::string& process, const peer& from) const {
  const auto old = nodes_.find(from.name);
  if (old == nodes_.end() || process.empty() || process == old->second->process()) return {};
  const auto now = std::chrono::steady_clock::now();
  for (const auto& [id, one] : peers_)
    if (one.node == old->second && one.control &&
        now - one.link->messages().last_heard() < options_.limits.silence_max / 2)
      return fail(errc::busy, "another process has joined with the certificate of " + from.name + " from " +
                                  one.address +
                                  "; end it, or give each its own: firstlight pki issue node NAME");
  return {};
}

result<std::shared_ptr<joined_node>> hub_engine::join(connection_id from, wire::NodeHello::Reader said) {
  const auto found = peers_.find(from);
  if (found == peers_.end()) return fail(errc::unavailable, "this connection has ended");
  auto& control = found->second;
  const auto hello = check(said, control);
  if (!hello) {
    if (refusals_.pass()) spdlog::warn("hub: refused {}: {}", control.address, hello.error().detail);
    return tl::unexpected(hello.error());
  }
  if (const auto old = nodes_.find(control.name); old != nodes_.end())
    drop_node(std::shared_ptr<joined_node>(old->second), "the node joined again");
  auto limits = options_.limits;
  if (const auto theirs = hello->limits.message_bytes_max; theirs > 0)
    limits.message_bytes_max = std::min(limits.message_bytes_max, theirs);
  auto node = std::make_shared<joined_node>(
      joined_node::options{control.name, hello->session, hello->process, limits,
                           [this, from](const std::string& why) { end(from, why); }});
  auto link = spawn_node_link(system_, loop_, node);
  node->set_link(link);
  auto session =
      make_session_({control.name, control.address, hello->software_version, control.is_hub}, link);
  caf::anon_send(link, session_made{session});
  nodes_[control.name] = node;
  bulk_congestion_ = prepare_standing(control);
  control.node = node;
  control.control = true;
  spdlog::info("hub: node {} joined from {}", control.name, control.address);
  for (auto& one : waiting_)
    if (one.name == node->name() && one.token == node->token()) one.joined->fulfill();
  return node;
}

void hub_engine::welcome(wire::HubWelcome::Builder out) const {
  write_welcome(out, {protocol_version,
                      options_.software_version,
                      {options_.limits.node_message_bytes_max, options_.limits.silence_max},
                      options_.hub_name,
                      bulk_congestion_,
                      options_.signs_with});
}

kj::Promise<void> hub_engine::attach(connection_id from, std::string token, wire::BulkSink::Client sink,
                                     bulk_role role) {
  const auto found = peers_.find(from);
  if (found == peers_.end() || found->second.node)
    return to_kj({errc::protocol, "this connection is attached already"});
  const auto matches = [&](const waiting_attach& one) { return one.from == from; };
  if (std::any_of(waiting_.begin(), waiting_.end(), matches))
    return to_kj({errc::protocol, "attached twice"});
  if (const auto node = nodes_.find(found->second.name);
      node != nodes_.end() && node->second->token() == token) {
    attach_now(from, kj::mv(sink), role);
    return kj::READY_NOW;
  }
  auto joined = kj::newPromiseAndFulfiller<void>();
  waiting_.push_back({from, found->second.name, std::move(token), kj::mv(joined.fulfiller)});
  const auto limit = options_.limits.join_timeout.count() * kj::MILLISECONDS;
  return loop_.timer()
      .timeoutAfter(limit, kj::mv(joined.promise))
      .then([this, from, role, sink = kj::mv(sink)]() mutable { attach_now(from, kj::mv(sink), role); });
}

void hub_engine::attach_now(connection_id from, wire::BulkSink::Client sink, bulk_role role) {
  forget_waiting(from);
  const auto found = peers_.find(from);
  if (found == peers_.end()) return;
  if (found->second.node) return end(from, "it joined while it waited to be attached");
  const auto node = nodes_.find(found->second.name);
  if (node == nodes_.end()) return end(from, "its node is gone");
  auto& one = found->second;
  one.node = node->second;
  one.opening = role == bulk_role::opening;
  if (one.opening)
    node->second->attach_opening(*one.link, kj::mv(sink));
  else
    node->second->attach(*one.link, kj::mv(sink), prepare_standing(one));
}

/// @returns its congestion control. Opening connections keep the system's: BBR would pace what their first
/// windows hold over a third of a round trip, and a socket that has had BBR is paced for ever.
std::string hub_engine::prepare_standing(const peer& one) const {
  return prepare_bulk_socket(one.link->descriptor(), options_.limits, options_.congestion_control);
}

void hub_engine::forget_waiting(connection_id from) {
  waiting_.erase(
      std::remove_if(waiting_.begin(), waiting_.end(), [&](const auto& one) { return one.from == from; }),
      waiting_.end());
}

// ---- watching ---------------------------------------------------------------------------------------

kj::Promise<void> hub_engine::watch() {
  const auto period = watch_period(options_.limits);
  return loop_.timer().afterDelay(period.count() * kj::MILLISECONDS).then([this, period] {
    const auto now = std::chrono::steady_clock::now();
    // After a pause of this whole process what has been received must be read before anybody is called
    // silent.
    if (now - watched_ < 2 * period)
      for (auto& [id, one] : peers_) watch_one(id, one, now);
    watched_ = now;
    return watch();
  });
}

void hub_engine::watch_one(connection_id id, peer& one, instant now) {
  const auto& limits = options_.limits;
  if (!one.node && now - one.accepted > limits.join_timeout) return end(id, "it did not join in time");
  if (one.opening && one.node && !one.node->uses_openings() && now - one.accepted > limits.opening_time)
    return end(id, "it has opened the link");
  if (one.control && now - one.link->messages().last_heard() > limits.silence_max)
    return end(id, "nothing heard for " + std::to_string(limits.silence_max.count()) + " ms");
  if (one.link->stuck(now)) end(id, "it does not take what is sent");
}

}  // namespace firstlight
