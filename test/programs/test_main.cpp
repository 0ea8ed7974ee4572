#include "test/harness/catch_runner.hpp"

int main(int count, char** arguments) {
  return run_catch(count, arguments);
}
