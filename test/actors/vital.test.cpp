#include "actors/vital.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

/// Throws when it gets a number.
caf::behavior fragile(caf::event_based_actor* self) {
  self->set_exception_handler([](std::exception_ptr&) { return caf::make_error(caf::sec::runtime_error); });
  return {[](int) { throw std::runtime_error("a defect"); }};
}

struct vital_bench {
  caf::actor_system_config config;
  caf::actor_system system{config};

  /// What is told of an actor after `end` has ended it.
  std::string told_after(const std::function<void(const caf::actor&)>& end) {
    const auto which = system.spawn(fragile);
    auto said = std::make_shared<std::string>("nothing");
    watch_vital(which, [said](const std::string& why) { *said = why; });
    end(which);
    caf::scoped_actor waits{system};
    waits->wait_for(which);
    return *said;
  }
};

}  // namespace

TEST_CASE("the end of an actor by an exception is told, and no end that was wished") {
  vital_bench bench;
  CHECK(bench.told_after([](const caf::actor& which) { caf::anon_send(which, 1); }).find("has failed") !=
        std::string::npos);
  for (const auto wish : {caf::exit_reason::user_shutdown, caf::exit_reason::kill})
    CHECK(bench.told_after([&](const caf::actor& which) { caf::anon_send_exit(which, wish); }) == "nothing");
}
