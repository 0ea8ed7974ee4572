#include "actors/worker.hpp"

#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>

#include "actors/shutdown.hpp"

using namespace firstlight;

namespace {

using asker = caf::typed_actor<caf::replies_to<caf::get_atom>::with<int>>;

asker::behavior_type make_asker(asker::pointer self, worker on, bool fails) {
  return {[=](caf::get_atom) -> caf::result<int> {
    auto reply = self->make_response_promise<int>();
    run_on(
        on, self,
        [fails]() -> result<int> {
          if (fails) throw std::runtime_error("the disk is on fire");
          return 42;
        },
        [reply](result<int> outcome) mutable {
          if (outcome)
            reply.deliver(*outcome);
          else
            reply.deliver(to_caf(outcome.error()));
        });
    return reply;
  }};
}

}  // namespace

TEST_CASE("run_on hands the outcome of blocking work back to the actor, exceptions as errors") {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system(config);
  const worker_pool pool(system, 1);
  const auto ask = [&](bool fails) {
    caf::scoped_actor self{system};
    auto actor = system.spawn(make_asker, pool.next(), fails);
    std::string answer;
    self->request(actor, std::chrono::seconds(10), caf::get_atom_v)
        .receive([&](int value) { answer = std::to_string(value); },
                 [&](const caf::error& problem) { answer = from_caf(problem).detail; });
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    return answer;
  };
  CHECK(ask(false) == "42");
  CHECK(ask(true) == "the disk is on fire");
  for (const auto& one : pool.all()) caf::anon_send_exit(one, caf::exit_reason::user_shutdown);
}

TEST_CASE("a worker is down only once it has done what it is busy with") {
  caf::actor_system_config config;
  caf::actor_system system(config);
  const worker_pool pool(system, 1);
  std::promise<void> begun;
  std::promise<void> released;
  std::atomic<int> done = 0;
  caf::anon_send(pool.next(), work{[&] {
                   begun.set_value();
                   released.get_future().wait();
                   ++done;
                 }});
  begun.get_future().wait();
  auto ending = std::async(std::launch::async, [&] {
    end_worker(system, caf::actor_cast<caf::actor>(pool.all().front()), std::chrono::milliseconds(10));
  });
  CHECK(ending.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  released.set_value();
  ending.get();
  CHECK(done == 1);
}
