// g++ 12 takes the empty state of a promise of optionals for uninitialized memory.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"

#include "actors/net/rpc/hub_session.hpp"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "actors/net/rpc/errors.hpp"
#include "actors/net/rpc/node_faces.hpp"
#include "actors/net/rpc/socket_options.hpp"
#include "actors/net/rpc/values.hpp"
#include "config/piece_limits.hpp"
#include "storage/pki/certificate_authority.hpp"

namespace firstlight {
namespace {

constexpr const char* best_congestion_control = "bbr";
constexpr std::uint64_t envelope_bytes_max = 4096;  // the RPC around one message
constexpr std::uint32_t pings_per_silence = 3;
constexpr std::uint32_t unanswered_silences_max =
    3;  // a lost control connection hides behind a busy bulk one

/// Of what announces a frame in pieces, many of which may be kept at once.
result<void> check_announced(const toc_frame& head) {
  if (!head.frame.bytes.empty()) return fail(errc::protocol, "a frame comes in pieces and as a whole");
  auto bytes =
      head.origin.statement.size() + head.origin.signature.size() + head.origin.certificate_pem.size();
  for (const auto& table : head.tables) bytes += sizeof table + table.columns.size() * sizeof(column_form);
  if (bytes <= piece_limits{}.head_bytes_max) return {};
  return fail(errc::limit_exceeded, "the hub sends too much of a frame beside its pieces");
}

}  // namespace

std::string hub_session::random_token() {
  std::string token(token_bytes, '\0');
  KJ_REQUIRE(RAND_bytes(reinterpret_cast<unsigned char*>(token.data()), token_bytes) == 1, "no random bytes");
  return token;
}

// A failed task is a lost connection or a broken promise of the hub: both end the session.
class hub_session::error_handler final : public kj::TaskSet::ErrorHandler {
 public:
  explicit error_handler(hub_session& session) : session_(session) {}
  void taskFailed(kj::Exception&& thrown) override {
    ERR_clear_error();
    session_.fail_with(from_kj(thrown));
  }

 private:
  hub_session& session_;
};

hub_session::hub_session(kj_loop& loop, const hub_link_options& options, std::shared_ptr<tls_identity> tls,
                         hub_link_shell link, std::string process, owner& told)
    : loop_(loop),
      options_(options),
      tls_(std::move(tls)),
      link_(std::move(link)),
      owner_(told),
      token_(random_token()),
      process_(std::move(process)),
      gathered_(options.limits.message_bytes_max, piece_limits{}.gathering),
      silence_max_(options.limits.silence_max),
      send_bytes_max_(options.limits.node_message_bytes_max),
      started_(std::chrono::steady_clock::now()),
      handler_(kj::heap<error_handler>(*this)),
      tasks_(*handler_) {}

void hub_session::fail_with(error why) {
  if (over_) return;
  over_ = true;
  unanswered_.clear();
  gathered_.clear();
  announced_.clear();
  owner_.failed(std::move(why));
}

// ---- connecting -------------------------------------------------------------------------------------

void hub_session::start() {
  dial_control();
  for (std::uint32_t i = 0; i < options_.limits.bulk_connections; ++i) dial_bulk();
}

kj::Promise<hub_session::dialled> hub_session::dial() {
  auto& network = loop_.io().provider->getNetwork();
  auto secured = network.parseAddress(options_.address)
                     .then([](kj::Own<kj::NetworkAddress> address) {
                       auto connecting = address->connectAuthenticated();
                       return connecting.attach(kj::mv(address));
                     })
                     .then([this](kj::AuthenticatedStream stream) {
                       KJ_IF_MAYBE (descriptor, stream.stream->getFd())
                         prepare_link_socket(*descriptor, options_.limits);
                       return tls_->context().wrapClient(kj::mv(stream), hub_server_name);
                     });
  const auto limit = options_.limits.connect_timeout.count() * kj::MILLISECONDS;
  return loop_.timer().timeoutAfter(limit, kj::mv(secured)).then([this](kj::AuthenticatedStream stream) {
    auto peer = peer_name(stream);
    KJ_REQUIRE(peer.role == "hub", "the far side's certificate is not a hub's");
    return dialled{connection::use(kj::mv(stream.stream), loop_.timer(), options_.limits), std::move(peer)};
  });
}

void hub_session::dial_control() {
  tasks_.add(dial().then([this](dialled made) { control_ready(kj::mv(made)); }));
}

void hub_session::dial_bulk() {
  const auto index = bulks_dialled_++;
  tasks_.add(dial().then([this, index](dialled made) { bulk_ready(kj::mv(made), index); }));
}

/// For a pull that waits for the link: see opening_connections.hpp. They may fail; the link does without.
void hub_session::dial_openings() {
  if (openings_dialled_ > 0) return;
  while (openings_dialled_ < options_.limits.opening_connections) {
    ++openings_dialled_;
    tasks_.add(
        dial().then([this](dialled made) { opening_ready(kj::mv(made)); }).catch_([](kj::Exception&& thrown) {
          ERR_clear_error();
          spdlog::debug("node: an opening connection: {}", thrown.getDescription().cStr());
        }));
  }
}

capnp::Request<wire::Hub::AttachParams, wire::Hub::AttachResults> hub_session::attach_over(connection& over) {
  auto attach = over.bootstrap().castAs<wire::Hub>().attachRequest();
  attach.setSession({reinterpret_cast<const kj::byte*>(token_.data()), token_.size()});
  attach.setSink(make_bulk_sink(weak_from_this(), over));
  return attach;
}

void hub_session::opening_ready(dialled made) {
  const auto at = openings_.insert(openings_.end(), kj::mv(made.link));
  auto& over = **at;
  tasks_.add(over.ended().then([this, at] { openings_.erase(at); }));
  auto attach = attach_over(over);
  attach.setOpening(true);
  tasks_.add(attach.send().ignoreResult().catch_([](kj::Exception&&) {}));
}

void hub_session::watch_end(connection& of, const char* which) {
  tasks_.add(of.ended().then([this, which] {
    // Before the join is answered its own failure tells more than the end of the connection.
    if (joined_) fail_with({errc::unavailable, std::string("the ") + which + " connection to the hub ended"});
  }));
}

void hub_session::control_ready(dialled made) {
  peer_ = made.peer.name;
  control_ = kj::mv(made.link);
  watch_end(*control_, "control");
  auto hub = control_->bootstrap().castAs<wire::Hub>();
  auto join = hub.joinRequest();
  write_hello(join.initHello(), {options_.protocol_version,
                                 options_.software_version,
                                 token_,
                                 options_.block_bytes,
                                 {options_.limits.message_bytes_max, options_.limits.silence_max},
                                 options_.limits.bulk_connections,
                                 process_});
  auto sent = join.send();
  session_ = sent.getSession();
  sent_join_ = true;
  for (const auto& one : queued_) send_pull(one.id, one.request);
  queued_.clear();
  const auto limit = options_.limits.join_timeout.count() * kj::MILLISECONDS;
  auto welcomed =
      sent.then([this](auto&& answered) { joined(read_welcome(answered.getWelcome(), options_.limits)); });
  tasks_.add(loop_.timer().timeoutAfter(limit, kj::mv(welcomed)));
}

void hub_session::joined(const hub_welcome& welcome) {
  joined_ = true;
  congestion_ = welcome.bulk_congestion;
  if (const auto theirs = welcome.limits.heartbeat; theirs.count() > 0)
    silence_max_ = std::min(silence_max_, theirs);
  if (const auto theirs = welcome.limits.message_bytes_max; theirs > 0)
    send_bytes_max_ = std::min<std::uint64_t>(send_bytes_max_, theirs);
  if (congestion_ != best_congestion_control)
    while (bulks_dialled_ < options_.limits.bulk_connections_without_bbr) dial_bulk();
  owner_.joined();
  if (options_.hub_signs_with && !welcome.signs_with.empty()) options_.hub_signs_with(welcome.signs_with);
}

void hub_session::bulk_ready(dialled made, std::uint32_t index) {
  bulks_.push_back(kj::mv(made.link));
  auto& over = *bulks_.back();
  watch_end(over, "bulk");
  auto attach = attach_over(over);
  attach.setIndex(index);
  tasks_.add(attach.send().then([this](auto&&) {
    ++bulks_attached_;
    owner_.bulk_changed();
  }));
}

// ---- calls ------------------------------------------------------------------------------------------

void hub_session::pull(std::uint64_t id, const pull_request& request) {
  if (over_) return;
  if (!sent_join_ && !request.toc) dial_openings();
  if (sent_join_) return send_pull(id, request);
  if (queued_.size() < options_.limits.pulls_per_node_max)
    queued_.push_back({id, request});
  else
    caf::anon_send(link_, pull_answer{id, fail(errc::busy, "too many pulls wait for the hub")});
}

void hub_session::send_pull(std::uint64_t id, const pull_request& request) {
  auto call = session_.pullRequest();
  write_pull(call.initRequest(), request);
  if (call.asReader().totalSize().wordCount * sizeof(capnp::word) > send_bytes_max_) {
    caf::anon_send(link_,
                   pull_answer{id, fail(errc::limit_exceeded, "the list of what this node has is too long")});
    return;
  }
  if (!joined_) call.setOpenings(openings_dialled_);
  call.setProgress(make_progress_sink(link_, request.delivery, options_.limits));
  tasks_.add(call.send().then(
      [this, id](auto&& answered) {
        caf::anon_send(link_, pull_answer{id, read_started(answered.getStarted())});
      },
      [this, id](kj::Exception&& thrown) {
        caf::anon_send(link_, pull_answer{id, tl::unexpected(from_kj(thrown))});
      }));
}

void hub_session::wants(const want& what) {
  if (over_ || !sent_join_) return;
  auto call = session_.wantRequest();
  call.setDelivery(what.delivery);
  write_runs(call.initRuns(static_cast<kj::uint>(what.runs.size())), what.runs);
  call.setAgain(what.how == urgency::again);
  tasks_.add(call.send().ignoreResult());
}

void hub_session::cancel(std::uint64_t delivery) {
  if (over_ || !sent_join_) return;
  auto call = session_.cancelRequest();
  call.setDelivery(delivery);
  tasks_.add(call.send().ignoreResult());
}

template <class Request, class Read>
void hub_session::send_call(std::uint64_t id, Request request, Read read) {
  tasks_.add(request.send().then(
      [this, id, read](auto&& answered) {
        caf::anon_send(link_, call_answer{id, read(answered)});
      },
      [this, id](kj::Exception&& thrown) {
        caf::anon_send(link_, call_answer{id, tl::unexpected(from_kj(thrown))});
      }));
}

void hub_session::call(std::uint64_t id, opaque_call which, const shared_bytes& bytes) {
  const auto refuse = [&](errc code, const char* why) {
    caf::anon_send(link_, call_answer{id, fail(code, why)});
  };
  if (over_ || !joined_) return refuse(errc::unavailable, "the hub has not answered yet");
  if (bytes.bytes.size() + envelope_bytes_max > send_bytes_max_)
    return refuse(errc::limit_exceeded, "a message is larger than the hub accepts");
  const capnp::Data::Reader data{reinterpret_cast<const kj::byte*>(bytes.bytes.data()), bytes.bytes.size()};
  if (which == opaque_call::trace) {
    auto request = session_.traceRequest();
    request.setTrace(data);
    return send_call(id, kj::mv(request), [](auto&) { return result<shared_bytes>(shared_bytes{}); });
  }
  auto request = session_.askRequest();
  request.setQuestion(data);
  send_call(id, kj::mv(request),
            [](auto& answered) { return result<shared_bytes>(copy_data(answered.getAnswer())); });
}

// ---- deliveries -------------------------------------------------------------------------------------

template <class Remote, class Incoming>
kj::Promise<verdict> hub_session::hand_over(Incoming what, part_received part, std::uint64_t bytes) {
  if (over_) return to_kj({errc::unavailable, "this session has ended"});
  frame_bytes_ += bytes;
  confirm(part);
  auto answered = kj::newPromiseAndFulfiller<verdict>();
  const auto id = owner_.next_id();
  unanswered_.emplace(id, kj::mv(answered.fulfiller));
  caf::anon_send(link_, Remote{id, std::move(what)});
  return kj::mv(answered.promise);
}

kj::Promise<verdict> hub_session::deliver(std::uint64_t delivery, result<toc_frame> toc,
                                          std::uint64_t in_pieces) {
  if (!toc) return verdict{toc.error()};
  if (in_pieces > 0) return gather({delivery, toc->part}, std::move(*toc), in_pieces);
  const auto bytes = toc->frame.bytes.size();
  const part_received part{delivery, toc->part};
  return hand_over<remote_toc>(incoming_toc{delivery, std::move(*toc)}, part, bytes);
}

kj::Promise<verdict> hub_session::deliver(std::uint64_t delivery, result<segment> data) {
  if (!data) return verdict{data.error()};
  const auto bytes = data->frame.bytes.size();
  const part_received part{delivery, data->sequence};
  return hand_over<remote_segment>(incoming_segment{delivery, std::move(*data)}, part, bytes);
}

kj::Promise<verdict> hub_session::gather(const frame_of& which, toc_frame head, std::uint64_t bytes) {
  if (over_) return to_kj({errc::unavailable, "this session has ended"});
  const auto fits = check_announced(head);
  const auto expected = fits ? gathered_.expect(which, bytes) : fits;
  if (!expected) {
    fail_with(expected.error());
    return to_kj(expected.error());
  }
  auto answered = kj::newPromiseAndFulfiller<kj::Promise<verdict>>();
  announced_.insert_or_assign(which, announced{std::move(head), kj::mv(answered.fulfiller)});
  deliver_if_whole(which);
  return kj::mv(answered.promise);
}

void hub_session::piece(const frame_of& which, std::uint64_t offset, std::vector<std::byte> bytes) {
  if (over_) return;
  if (const auto added = gathered_.add(which, offset, std::move(bytes)); !added)
    return fail_with(added.error());
  deliver_if_whole(which);
}

void hub_session::deliver_if_whole(const frame_of& which) {
  auto frame = gathered_.take(which);
  if (!frame) return;
  auto done = announced_.extract(which);
  done.mapped().head.frame = std::move(*frame);
  done.mapped().answered->fulfill(deliver(which.delivery, std::move(done.mapped().head), 0));
}

/// Over the control connection, so that it never stands behind a verdict that waits.
void hub_session::confirm(const part_received& part) {
  if (!sent_join_) return;
  auto call = session_.receivedRequest();
  call.setDelivery(part.delivery);
  const auto* toc = std::get_if<toc_part>(&part.part);
  call.setToc(toc != nullptr);
  call.setSequence(toc != nullptr ? static_cast<std::uint32_t>(*toc) : std::get<std::uint32_t>(part.part));
  tasks_.add(call.send().ignoreResult());
}

void hub_session::deliver(incoming_landmark mark) {
  caf::anon_send(link_, mark);
}

void hub_session::answer(std::uint64_t id, verdict what) {
  const auto found = unanswered_.find(id);
  if (found == unanswered_.end()) return;
  found->second->fulfill(std::move(what));
  unanswered_.erase(found);
}

// ---- watching ---------------------------------------------------------------------------------------

void hub_session::watch(instant now) {
  if (over_ || !joined_) return;  // until then the limits of connecting and joining hold
  auto heard = control_->messages().last_heard();
  for (auto& one : bulks_) heard = std::max(heard, one->messages().last_heard());
  const bool unanswered = ping_open_ && now - pinged_ > unanswered_silences_max * silence_max_;
  if (now - heard > silence_max_ || unanswered)
    return fail_with(
        {errc::unavailable, "the hub has been silent for " + std::to_string(silence_max_.count()) + " ms"});
  if (!ping_open_ && now - pinged_ >= silence_max_ / pings_per_silence) ping(now);
}

void hub_session::ping(instant now) {
  pinged_ = now;
  ping_open_ = true;
  tasks_.add(session_.pingRequest().send().then([this](auto&&) { ping_open_ = false; }));
}

void hub_session::describe(link_status& status) const {
  status.peer = peer_;
  status.bulk_connections = bulks_attached_;
  status.congestion_control = congestion_;
  if (control_.get() != nullptr) status.round_trip = inspect_socket(control_->descriptor()).round_trip;
  status.bytes_received = frame_bytes_ + padding_bytes_;
  status.padding_bytes = padding_bytes_;
}

}  // namespace firstlight
