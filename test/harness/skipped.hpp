#pragma once
#include <string_view>

namespace firstlight::test {

/// Exit code of a test program in which no test failed and something was skipped; ctest's SKIP_RETURN_CODE.
constexpr int skipped_exit_code = 77;

/// Says "SKIPPED: why" in the output of a test that cannot run on this machine; the test returns then. What
/// it says holds for the whole process: the outcome of the program tells of it. From the thread of the tests
/// only.
void note_skipped(std::string_view why);

/// Whether anything was skipped in this process.
[[nodiscard]] bool anything_was_skipped();

}  // namespace firstlight::test
