#include "actors/vital.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

/// Throws when it gets a number.
caf::behavior fragile(caf::event_based_actor* self) {
  self->set_exception_handler([](std::exception_ptr&) { return caf::make_error(caf::sec::runtime_error); });
  return {[](int) { throw std::runtime_error("a defect"); }};
}

/// What is told of an actor after `end` has ended it.
std::string told_after(const std::function<void(const caf::actor&)>& end) {
  auto said = std::make_shared<std::string>("nothing");
  {
    caf::actor_system_config config;
    caf::actor_system system{config};
    const auto which = system.spawn(fragile);
    watch_vital(which, [said](const std::string& why) { *said = why; });
    end(which);
  }  // when the actor is down
  return *said;
}

}  // namespace

TEST_CASE("the end of an actor by an exception is told, and no end that was wished") {
  CHECK(told_after([](const caf::actor& which) { caf::anon_send(which, 1); }).find("has failed") !=
        std::string::npos);
  for (const auto wish : {caf::exit_reason::user_shutdown, caf::exit_reason::kill})
    CHECK(told_after([&](const caf::actor& which) { caf::anon_send_exit(which, wish); }) == "nothing");
}
