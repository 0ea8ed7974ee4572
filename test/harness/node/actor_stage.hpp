#pragma once
#include <caf/all.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/interfaces.hpp"
#include "actors/worker.hpp"

namespace firstlight {

/// An actor system without threads: the test moves messages and time by hand. All actors that it was given
/// end with it.
class actor_stage {
 public:
  actor_stage();
  ~actor_stage();
  actor_stage(const actor_stage&) = delete;
  actor_stage& operator=(const actor_stage&) = delete;

  [[nodiscard]] caf::actor_system& system() { return *system_; }
  /// Handles all messages that are there, and those that come of them.
  void run() { scheduler().run(); }
  /// Lets time go by, then runs what is due.
  void pass(std::chrono::milliseconds time);

  /// One worker on the scheduler. `pieces`, if given, counts what it has carried out.
  worker_pool workers(std::shared_ptr<int> pieces = nullptr);

  /// One worker that carries out what it was given only when it is told to with `finish_last`: last come,
  /// first served.
  using held_worker = worker::extend<caf::reacts_to<caf::tick_atom>>;
  held_worker hold_work();
  void finish_last(const held_worker& held);

  template <class Handle>
  Handle keep(Handle actor) {
    kept_.push_back(caf::actor_cast<caf::actor>(actor));
    return actor;
  }

  /// An answer that may come later.
  template <class Answer>
  using answer = std::shared_ptr<std::optional<result<Answer>>>;
  /// Asks; the answer is there when something has run that gives it.
  template <class Answer, class Handle, class... Message>
  answer<Answer> ask(const Handle& whom, Message... message) {
    auto slot = std::make_shared<std::optional<result<Answer>>>();
    auto asker = keep(system_->spawn(
        [](caf::event_based_actor* self, answer<Answer> into, const Handle& to, Message... what) {
          self->request(to, caf::infinite, std::move(what)...)
              .then([into](const Answer& good) { into->emplace(good); },
                    [into](const caf::error& bad) { into->emplace(tl::unexpected(from_caf(bad))); });
        },
        slot, whom, std::move(message)...));
    return slot;
  }

 private:
  caf::scheduler::test_coordinator& scheduler();

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  std::vector<caf::actor> kept_;
};

/// What a mount has been told by a receiver.
struct told_instance {
  std::vector<block_run> ready;
  std::vector<blocks_failed> failed;
  std::vector<link_changed> links;
  int contents_known = 0;
  int completed = 0;
};
[[nodiscard]] caf::actor make_listening_instance(actor_stage& stage, std::shared_ptr<told_instance> into);

/// A fake far side: promises are kept inside the actor that made them.
struct fake_far_side {
  actor_stage* stage = nullptr;
  caf::actor self;
  /// Runs `what` inside the fake, and then all that comes of it.
  void act(std::function<void()> what) const;
};

/// The hub as a receiver sees it. The test answers.
struct fake_hub_link : fake_far_side {
  struct pulled {
    pull_request request;
    receiver to;
    caf::typed_response_promise<pull_started> answer;
  };
  std::vector<pulled> pulls;
  std::vector<want> wants;
  std::vector<cancel_delivery> cancels;
  std::vector<caf::typed_response_promise<link_status>> joining;
  struct reported {
    trace_report what;
    caf::typed_response_promise<trace_kept> answer;
  };
  std::vector<reported> traces;
  link_status status;  ///< what the link says of itself
  /// What another hub answers to questions about traces.
  std::function<result<peer_answer>(const peer_question&)> answers_peer;
  bool holds_questions = false;  ///< until `answer_questions`; else they are answered at once
  struct asked {
    peer_question what;
    caf::typed_response_promise<peer_answer> answer;
  };
  std::vector<asked> questions;

  /// Answers all questions that are held.
  void answer_questions();
  /// Answers the latest trace.
  void answer_trace(const result<void>& with);
  /// Answers the latest pull.
  void answer(const result<pull_started>& with);
};
[[nodiscard]] hub_link make_fake_hub_link(actor_stage& stage, std::shared_ptr<fake_hub_link> into);

/// A node as a session sees it. The test answers.
struct fake_node_link : fake_far_side {
  struct sent {
    outgoing_segment what;
    caf::typed_response_promise<delivered> reply;
  };
  std::vector<outgoing_toc> tocs;
  std::vector<caf::typed_response_promise<delivered>> toc_replies;
  std::vector<sent> in_flight;             ///< segments that have not been answered
  std::vector<outgoing_segment> segments;  ///< all, in order
  std::vector<outgoing_landmark> landmarks;
  bool holds_padding = false;  ///< until `answer_padding`; else it is answered at once
  std::vector<caf::typed_response_promise<delivered>> paddings;

  /// Answers all padding that is held.
  void answer_padding();
  /// Answers all parts of a TOC that were sent.
  void answer_toc(const verdict& with = {});
  /// Answers the oldest segment in flight.
  void answer(verdict with = {});
  /// As when the connection ends.
  void lose_all();
};
[[nodiscard]] node_link make_fake_node_link(actor_stage& stage, std::shared_ptr<fake_node_link> into);

}  // namespace firstlight
