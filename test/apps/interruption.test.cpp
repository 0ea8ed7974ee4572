#include "apps/interruption.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("a hang-up that is ignored, as below nohup, is not taken; others are") {
  auto* const before = std::signal(SIGHUP, SIG_IGN);
  {
    interruption signals;
    raise(SIGHUP);
    CHECK_FALSE(signals.wait_for(0ms));
    raise(SIGTERM);
    REQUIRE(signals.wait_for(0ms));
    CHECK(signals.take().value() == SIGTERM);
  }
  std::signal(SIGHUP, SIG_DFL);
  {
    interruption signals;
    raise(SIGHUP);
    REQUIRE(signals.wait_for(0ms));
    CHECK(signals.take().value() == SIGHUP);
  }
  std::signal(SIGHUP, before);
}
