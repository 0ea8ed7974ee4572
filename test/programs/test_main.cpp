#include "test/harness/catch_runner.hpp"
#include "test/harness/supervisor.hpp"

int main(int count, char** arguments) {
  return firstlight::test::supervise([&] { return run_catch(count, arguments); });
}
