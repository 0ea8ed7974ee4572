#include "test/harness/catch_runner.hpp"

#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#include <cstdlib>

#include "test/harness/skipped.hpp"

int run_catch(int count, char** arguments) {
  using namespace firstlight::test;
  const int failures = Catch::Session().run(count, arguments);
  if (failures == 0) return anything_was_skipped() ? skipped_exit_code : EXIT_SUCCESS;
  return failures == skipped_exit_code ? EXIT_FAILURE : failures;  // it counts what failed
}
