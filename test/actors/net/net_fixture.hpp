#pragma once
#include <atomic>
#include <caf/all.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "actors/errors.hpp"
#include "actors/net/hub_link.hpp"
#include "actors/net/hub_listener.hpp"
#include "actors/net/kj_loop.hpp"
#include "storage/pki/certificate_authority.hpp"
#include "test/harness/temporary_folder.hpp"

/// What the tests of the transport share: certificates, a hub and nodes over real loopback sockets, and
/// queues that a test waits on instead of sleeping.
namespace firstlight::test {

using namespace std::chrono_literals;

/// Nothing in these tests takes this long; a test that waits for it has failed.
inline constexpr auto patience = 20s;

/// Things that happened, in order, from any thread.
template <class T>
class happenings {
 public:
  void push(T what) {
    {
      const std::lock_guard guard(mutex_);
      queue_.push_back(std::move(what));
    }
    changed_.notify_all();
  }
  /// The next one; fails the test when none comes.
  T next(std::chrono::milliseconds limit = patience) {
    auto found = try_next(limit);
    REQUIRE(found.has_value());
    return std::move(*found);
  }
  std::optional<T> try_next(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, limit, [&] { return !queue_.empty(); })) return std::nullopt;
    auto found = std::move(queue_.front());
    queue_.pop_front();
    return found;
  }
  std::size_t waiting() {
    const std::lock_guard guard(mutex_);
    return queue_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> queue_;
};

/// One cluster's certificates in a temporary folder. Made once per authority: keys cost time.
class certificates {
 public:
  certificates() { REQUIRE(init_ca(folder_.path())); }
  tls_files files(pki_role role, const std::string& name) {
    const auto key = std::string(to_string(role)) + name;
    if (issued_.count(key) == 0) issued_[key] = issue_certificate(folder_.path(), role, name).value();
    return {folder_.path() / "ca.crt", issued_[key].certificate, issued_[key].key};
  }

 private:
  temporary_folder folder_;
  std::map<std::string, issued_certificate> issued_;
};

/// A joined node as the hub's side of a test sees it.
struct hub_side {
  node_identity who;
  node_link link;
  caf::actor_addr actor;
  struct pulled {
    pull_request request;
    pull_listener listener;
    caf::typed_response_promise<pull_started> answer;
  };
  happenings<pulled> pulls;
  happenings<want> wants;
  happenings<cancel_delivery> cancels;
  happenings<bulk_attached> attached;
  happenings<part_received> receipts;
  happenings<trace_report> traces;
  std::atomic<std::uint32_t> questions{0};   ///< that have come
  std::atomic<bool> keeps_questions{false};  ///< in `kept`, without an answer; set before any comes
  happenings<caf::typed_response_promise<peer_answer>> kept;
  std::optional<error> trace_refusal;  ///< what every trace is answered with; set before any comes
  happenings<caf::error> ended;
};

inline node_session::behavior_type hub_side_session(node_session::pointer self,
                                                    std::shared_ptr<hub_side> side) {
  self->set_exit_handler([self, side](caf::exit_msg& exit) {
    side->ended.push(exit.reason);
    self->quit(exit.reason);
  });
  self->set_error_handler([](caf::error&) {});
  return {
      [self, side](pull_request& request, const pull_listener& listener) -> caf::result<pull_started> {
        auto promise = self->make_response_promise<pull_started>();
        side->pulls.push({std::move(request), listener, promise});
        return promise;
      },
      [side](want& what) { side->wants.push(std::move(what)); },
      [side](cancel_delivery what) { side->cancels.push(what); },
      [side](bulk_attached& what) { side->attached.push(std::move(what)); },
      [side](part_received what) { side->receipts.push(what); },
      [side](trace_report& what) -> caf::result<trace_kept> {
        side->traces.push(std::move(what));
        if (side->trace_refusal) return to_caf(*side->trace_refusal);
        return trace_kept{};
      },
      [self, side](peer_question& question) -> caf::result<peer_answer> {
        ++side->questions;
        if (!side->keeps_questions) return peer_answer{question.encoded};  // an echo
        auto promise = self->make_response_promise<peer_answer>();
        side->kept.push(promise);
        return promise;
      },
  };
}

/// A receiver as the node's side of a test sees it. Answers every part at once with `answer`.
struct node_side {
  receiver actor;
  happenings<incoming_toc> tocs;
  happenings<incoming_segment> segments;
  happenings<incoming_landmark> landmarks;
  happenings<incoming_progress> progress;
  happenings<link_changed> changes;
  std::mutex mutex;
  verdict answer;

  verdict take_answer() {
    const std::lock_guard guard(mutex);
    return answer;
  }
};

inline receiver::behavior_type node_side_receiver(receiver::pointer self, std::shared_ptr<node_side> side) {
  self->set_error_handler([](caf::error&) {});
  return {
      [side](incoming_toc& what) {
        side->tocs.push(std::move(what));
        return side->take_answer();
      },
      [side](incoming_segment& what) {
        side->segments.push(std::move(what));
        return side->take_answer();
      },
      [side](incoming_landmark what) { side->landmarks.push(what); },
      [side](incoming_progress& what) { side->progress.push(std::move(what)); },
      [side](link_changed& what) { side->changes.push(std::move(what)); },
      [](want_blocks&) {},
      [](caf::subscribe_atom, const caf::actor&) {},
  };
}

/// A CAF system, one KJ loop for the hub and one for the nodes. Everything ends with it.
class net_fixture {
 public:
  net_fixture() {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", std::size_t{2});
    system_ = std::make_unique<caf::actor_system>(config_);
    // Limits of a test: short enough to be waited for.
    limits.silence_max = 600ms;
    limits.connect_timeout = 5s;
    limits.join_timeout = 5s;
    limits.backoff_first = 10ms;
    limits.backoff_max = 100ms;
  }
  ~net_fixture() {
    for (auto& one : ending_) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
    ending_.clear();
    sides_.clear();
    hub.reset();
    node_loop.stop();
    hub_loop.stop();
    joined_.reset();
    system_.reset();
  }

  void start_hub(std::uint16_t port = 0) { start_hub_with(hub_options(port)); }
  hub_listener_options hub_options(std::uint16_t port = 0) {
    hub_listener_options options;
    options.address = "127.0.0.1";
    options.port = port;
    options.tls = pki.files(pki_role::hub, "main");
    options.limits = limits;
    options.hub_name = "main";
    options.software_version = "test";
    return options;
  }
  void start_hub_with(hub_listener_options options) {
    auto started = hub_listener::start(*system_, hub_loop, std::move(options),
                                       [this](const node_identity& who, const node_link& link) {
                                         auto side = std::make_shared<hub_side>();
                                         side->who = who;
                                         side->link = link;
                                         auto session = system_->spawn(hub_side_session, side);
                                         side->actor = session.address();
                                         joined_->push(side);
                                         return session;
                                       });
    if (!started) FAIL(to_string(started.error()));
    hub = std::move(*started);
  }

  hub_link_options node_options(const std::string& name, std::uint16_t port) {
    hub_link_options options;
    options.address = "127.0.0.1:" + std::to_string(port);
    options.tls = pki.files(pki_role::node, name);
    options.limits = limits;
    options.software_version = "test";
    options.seed = 7;
    return options;
  }
  hub_link link_with(hub_link_options options) {
    auto link = spawn_hub_link(*system_, node_loop, std::move(options));
    if (!link) FAIL(to_string(link.error()));
    ending_.push_back(caf::actor_cast<caf::actor>(*link));
    return *link;
  }
  hub_link start_node(const std::string& name) { return link_with(node_options(name, hub->port())); }

  std::shared_ptr<node_side> make_receiver() {
    auto side = std::make_shared<node_side>();
    side->actor = system_->spawn(node_side_receiver, side);
    ending_.push_back(caf::actor_cast<caf::actor>(side->actor));
    sides_.push_back(side);
    return side;
  }

  /// The next node that joins.
  std::shared_ptr<hub_side> next_joined() { return joined_->next(); }

  /// Asks and waits for the answer.
  template <class Answer, class Handle, class... Message>
  result<Answer> ask(const Handle& whom, Message... message) {
    caf::scoped_actor self(*system_);
    result<Answer> outcome = fail(errc::timed_out, "no answer");
    self->request(whom, patience, std::move(message)...)
        .receive([&](Answer& answer) { outcome = std::move(answer); },
                 [&](caf::error& failure) { outcome = tl::unexpected(from_caf(failure)); });
    return outcome;
  }

  link_limits limits;
  certificates pki;
  kj_loop hub_loop;
  kj_loop node_loop;
  std::unique_ptr<hub_listener> hub;

  caf::actor_system& system() { return *system_; }

 private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<happenings<std::shared_ptr<hub_side>>> joined_ =
      std::make_unique<happenings<std::shared_ptr<hub_side>>>();
  std::vector<caf::actor> ending_;
  std::vector<std::shared_ptr<node_side>> sides_;
};

inline segment make_segment(std::uint32_t sequence, std::size_t bytes) {
  segment data;
  data.sequence = sequence;
  data.runs = {{1, 2, 3}};
  data.bytes = static_cast<std::uint32_t>(bytes);
  std::vector<std::byte> frame(bytes);
  for (std::size_t i = 0; i < bytes; ++i)
    frame[i] = static_cast<std::byte>((i * 2654435761U + sequence) >> 13U);
  data.frame = share(std::move(frame));
  return data;
}

inline bool equal_bytes(const shared_bytes& a, const shared_bytes& b) {
  return std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

}  // namespace firstlight::test
