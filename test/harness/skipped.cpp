#include "test/harness/skipped.hpp"

#include <iostream>

namespace firstlight::test {
namespace {

// A global, since Catch 2 hands nothing of ours to its test cases.
bool skipped = false;

}  // namespace

void note_skipped(std::string_view why) {
  skipped = true;
  std::cout << "SKIPPED: " << why << std::endl;
}

bool anything_was_skipped() {
  return skipped;
}

}  // namespace firstlight::test
