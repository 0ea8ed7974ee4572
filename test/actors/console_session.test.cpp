#include "actors/console/console_session.hpp"

#include <catch2/catch.hpp>

#include "test/harness/node/actor_stage.hpp"

using namespace firstlight;

namespace {

std::string text_of(const shared_bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size()};
}
shared_bytes bytes_of(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return share({view.begin(), view.end()});
}

/// A daemon as a session sees it. The test answers.
struct fake_service : fake_far_side {
  struct asked {
    std::string request;
    progress_listener listener;
    caf::typed_response_promise<admin_message> answer;
  };
  std::vector<asked> calls;
  std::vector<caf::actor_addr> ended;  ///< listeners
};
using acting_service = admin_service::extend<caf::reacts_to<work>>;

acting_service::behavior_type play_service(acting_service::pointer self, fake_service* into) {
  self->set_down_handler([into](const caf::down_msg& down) { into->ended.push_back(down.source); });
  return {[self, into](const admin_message& request,
                       const progress_listener& listener) -> caf::result<admin_message> {
            self->monitor(listener);
            into->calls.push_back(
                {text_of(request.bytes), listener, self->make_response_promise<admin_message>()});
            return into->calls.back().answer;
          },
          [](const work& piece) { piece.run(); }};
}

struct console_bench {
  std::vector<std::string> heard;  ///< by the client
  fake_service service;
  actor_stage stage;
  console_session session;

  console_bench() {
    const auto daemon = stage.keep(stage.system().spawn(play_service, &service));
    service.stage = &stage;
    service.self = caf::actor_cast<caf::actor>(daemon);
    session = stage.keep(stage.system().spawn(
        make_console_session, caf::actor_cast<admin_service>(daemon),
        console_sink{.progress = [this](const shared_bytes& what) { heard.push_back(text_of(what)); },
                     .answer =
                         [this](const result<shared_bytes>& outcome) {
                           heard.push_back(outcome ? text_of(*outcome) : "error: " + outcome.error().detail);
                         }}));
  }
  ~console_bench() {
    session = nullptr;
    service.act([this] { service.calls.clear(); });
    service.self = nullptr;
  }

  void request(const std::string& what) {
    caf::anon_send(session, console_request{bytes_of(what)});
    stage.run();
  }
  /// The service tells progress of the latest request and answers it, in one go.
  void carry_out(const std::vector<std::string>& progress, const result<std::string>& answer) {
    service.act([&] {
      auto& call = service.calls.back();
      for (const auto& one : progress) caf::anon_send(call.listener, admin_message{bytes_of(one)});
      if (answer)
        call.answer.deliver(admin_message{bytes_of(*answer)});
      else
        call.answer.deliver(to_caf(answer.error()));
    });
  }
  void client_goes_away() {
    caf::anon_send_exit(session, caf::exit_reason::user_shutdown);
    stage.run();
  }
};

using lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a client hears the progress of its request in order, then the answer") {
  console_bench bench;
  bench.request("pull");
  REQUIRE(bench.service.calls.size() == 1);
  CHECK(bench.service.calls.front().request == "pull");
  CHECK(bench.service.ended.empty());
  bench.carry_out({"10 %", "90 %"}, "done");
  CHECK(bench.heard == lines{"10 %", "90 %", "done"});
}

TEST_CASE("a client hears why its request failed") {
  console_bench bench;
  bench.request("pull");
  bench.carry_out({"10 %"}, fail(errc::not_found, "image x is not known"));
  CHECK(bench.heard == lines{"10 %", "error: image x is not known"});
}

TEST_CASE("a request after an answered one gets its own answer, and a listener of its own") {
  console_bench bench;
  bench.request("first");
  bench.carry_out({}, "one");
  const auto first = bench.service.calls.front().listener;
  CHECK(bench.service.ended == std::vector<caf::actor_addr>{first.address()});
  bench.request("second");
  REQUIRE(bench.service.calls.size() == 2);
  CHECK(bench.service.calls.back().listener != first);
  caf::anon_send(first, admin_message{bytes_of("late")});
  bench.carry_out({"50 %"}, "two");
  CHECK(bench.heard == lines{"one", "50 %", "two"});
}

TEST_CASE("a request after a failed one is carried out") {
  console_bench bench;
  bench.request("first");
  bench.carry_out({}, fail(errc::busy, "in use"));
  bench.request("second");
  bench.carry_out({}, "two");
  CHECK(bench.heard == lines{"error: in use", "two"});
}

TEST_CASE("a client that goes away ends the listener of its request, and hears no more") {
  console_bench bench;
  bench.request("mount");
  const auto listener = bench.service.calls.front().listener.address();
  bench.client_goes_away();
  CHECK(bench.service.ended == std::vector<caf::actor_addr>{listener});
  bench.carry_out({"10 %"}, "too late");
  CHECK(bench.heard.empty());
}

TEST_CASE("a request that its client does not wait for is carried out all the same") {
  console_bench bench;
  caf::anon_send(bench.session, console_request{bytes_of("pull")});
  bench.client_goes_away();
  CHECK(bench.service.calls.size() == 1);
  CHECK(bench.service.ended.size() == 1);
}

TEST_CASE("a request to a service that has ended fails") {
  console_bench bench;
  caf::anon_send_exit(bench.service.self, caf::exit_reason::user_shutdown);
  bench.stage.run();
  bench.request("pull");
  REQUIRE(bench.heard.size() == 1);
  CHECK(bench.heard.front().rfind("error: ", 0) == 0);
}
