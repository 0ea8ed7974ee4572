#include "actors/node/instance.hpp"

#include "actors/node/instance_waits.hpp"

namespace firstlight {
namespace {

// What only the instance sends to itself.
using ticking_instance = instance::extend<caf::reacts_to<caf::tick_atom>>;

class instance_state {
 public:
  void start(ticking_instance::pointer self, instance_parts parts) {
    self_ = self;
    parts_ = std::move(parts);
    waits_.emplace(parts_.toc, *parts_.store, parts_.limits);
    self_->monitor(parts_.bridge);
    if (parts_.source)
      use(parts_.source);
    else
      complete();
  }

  void use(const receiver& source) {
    parts_.source = source;
    complete_ = false;
    self_->monitor(source);
    self_->send(source, caf::subscribe_atom_v, caf::actor_cast<caf::actor>(self_));
    want(waits_->re_ask());
  }

  void park(const park_read& read) { settle(read, waits_->start(read, now())); }

  void contents_known() {
    self_->send(parts_.bridge, firstlight::contents_known{});
    for (const auto& held : waits_->take_held()) settle(held.read, waits_->resume(held, now()));
  }
  void settle(const park_read& read, wait_started wait) {
    if (!wait.ready && !wait.failure && complete_) {
      waits_->forget(read.waiter, now());
      wait.failure = error{errc::not_found, "a content of this complete image is gone from the store"};
    }
    if (wait.ready || wait.failure) return release({read.waiter}, std::move(wait.failure));
    want(std::move(wait.want));
    check_later();
  }

  void forget(waiter_id waiter) { waits_->forget(waiter, now()); }
  void arrived(const blocks_ready& blocks) {
    release(waits_->arrived(*blocks.runs, blocks.out_of_turn, now()), std::nullopt);
  }
  void failed(const blocks_failed& blocks) {
    if (blocks.runs.empty()) return release(waits_->all_over(blocks.why, now()), blocks.why);
    release(waits_->failed(blocks.runs, blocks.why, now()), blocks.why);
  }

  void complete() {
    complete_ = true;
    release(waits_->all_over(std::nullopt, now()), std::nullopt);
    self_->send(parts_.bridge, image_complete{});
  }

  void link(const link_changed& link) {
    link_problem_ = link.now == link_state::up ? std::string{} : "the link is down: " + link.why;
    if (link.now == link_state::up) want(waits_->re_ask());
  }

  void check_overdue() {
    checking_ = false;
    release(waits_->overdue(now()), error{errc::timed_out, "waited too long"});
    check_later();
  }

  [[nodiscard]] instance_status status() const {
    instance_status status;
    status.complete = complete_;
    status.detached = detached_;
    status.requests = parts_.counters->requests;
    status.reads = parts_.counters->reads;
    status.read_bytes = parts_.counters->read_bytes;
    status.read_errors = parts_.counters->read_errors;
    status.writes = parts_.counters->writes;
    status.opens_through = parts_.counters->opens_through;
    status.opens_by_fuse = parts_.counters->opens_by_fuse;
    waits_->describe(status, now(), cause());
    if (const auto own = parts_.counters->last_error(); own && status.last_error.empty())
      status.last_error = to_string(*own);
    return status;
  }

  caf::result<unmounted> unmount(unmount_request request) {
    auto promise = self_->make_response_promise<unmounted>();
    self_->request(parts_.bridge, parts_.limits.unmount_timeout, request)
        .then(
            [this, promise](unmounted done) mutable {
              detached_ = true;
              promise.deliver(done);
            },
            [promise](const caf::error& failure) mutable { promise.deliver(failure); });
    return promise;
  }

  /// The bridge takes the mounts down as it ends; this actor ends after it.
  void shut_down() {
    const error why{errc::cancelled, "the mount was taken down"};
    auto waiters = waits_->all_over(why, now());
    if (!waiters.empty()) self_->send(parts_.bridge, reads_released{std::move(waiters), why, true});
    self_->send_exit(parts_.bridge, caf::exit_reason::user_shutdown);
  }

  void gone(const caf::down_msg& who) {
    if (who.source == parts_.bridge.address()) return self_->quit(caf::exit_reason::normal);
    if (parts_.source && who.source == parts_.source.address()) parts_.source = receiver{};
  }

 private:
  [[nodiscard]] caf::actor_clock::time_point now() const { return self_->clock().now(); }

  [[nodiscard]] std::string cause() const {
    if (!link_problem_.empty()) return link_problem_;
    return parts_.source ? "blocks that were asked for" : "no delivery of this image is running";
  }

  void want(std::vector<block_run> runs) {
    if (!runs.empty() && parts_.source) self_->send(parts_.source, want_blocks{std::move(runs)});
  }

  void release(std::vector<waiter_id> waiters, std::optional<error> failure) {
    if (!waiters.empty())
      self_->send(parts_.bridge, reads_released{std::move(waiters), std::move(failure), false});
  }

  void check_later() {
    if (checking_ || !waits_->anyone() || parts_.limits.wait_without_progress_max.count() == 0) return;
    checking_ = true;
    self_->delayed_send(self_, parts_.limits.wait_check_interval, caf::tick_atom_v);
  }

  ticking_instance::pointer self_ = nullptr;
  instance_parts parts_;
  std::optional<instance_waits> waits_;
  std::string link_problem_;
  bool complete_ = false;
  bool detached_ = false;
  bool checking_ = false;
};

ticking_instance::behavior_type run_instance(ticking_instance::stateful_pointer<instance_state> self,
                                             instance_parts parts) {
  auto& state = self->state;
  self->set_error_handler([](const caf::error&) {});
  self->set_exit_handler([&state](const caf::exit_msg&) { state.shut_down(); });
  self->set_down_handler([&state](const caf::down_msg& who) { state.gone(who); });
  state.start(self, std::move(parts));
  return {
      [&state](const park_read& read) { state.park(read); },
      [&state](forget_read reader) { state.forget(reader.waiter); },
      [&state](session_ended) { state.shut_down(); },
      [&state](contents_known) { state.contents_known(); },
      [&state](const blocks_ready& blocks) { state.arrived(blocks); },
      [&state](const blocks_failed& blocks) { state.failed(blocks); },
      [&state](image_complete) { state.complete(); },
      [&state](const link_changed& link) { state.link(link); },
      [&state](const receiver& source) { state.use(source); },
      [&state](caf::get_atom) { return state.status(); },
      [&state](unmount_request request) { return state.unmount(request); },
      [&state](caf::tick_atom) { state.check_overdue(); },
  };
}

}  // namespace

instance spawn_instance(caf::actor_system& system, instance_parts parts) {
  return system.spawn(run_instance, std::move(parts));
}

}  // namespace firstlight
