#include "test/harness/catch_runner.hpp"

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int run_catch(int count, char** arguments) {
  return Catch::Session().run(count, arguments);
}
