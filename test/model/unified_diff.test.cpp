#include "model/unified_diff.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "model/marked_lines.hpp"

using namespace firstlight;

namespace {

/// What `patch` does with one file; asserts that context and removed lines are where they are said to be.
std::string patched(std::string_view before, std::string_view diff) {
  const auto old_lines = lines_of(before);
  const auto steps = lines_of(diff);
  std::string out;
  std::size_t at = 0;
  for (std::size_t i = 2; i < steps.size(); ++i) {
    const std::string step(steps[i]);
    if (step.starts_with("@@ -")) {
      const auto first = std::stoul(step.substr(4));
      const auto comma = step.find(',');
      const bool none = comma < step.find(" +") && std::stoul(step.substr(comma + 1)) == 0;
      for (const auto hunk = none ? first : first - 1; at < hunk; ++at) out += old_lines[at];
      continue;
    }
    if (step.front() == '\\') continue;
    const bool open = i + 1 < steps.size() && steps[i + 1].front() == '\\';
    const auto line = step.substr(1, step.size() - (open ? 2 : 1));
    if (step.front() != '+') {
      RC_ASSERT(at < old_lines.size());
      RC_ASSERT(old_lines[at++] == line);
    }
    if (step.front() != '-') out += line;
  }
  for (; at < old_lines.size(); ++at) out += old_lines[at];
  return out;
}

rc::Gen<std::string> any_text() {
  return rc::gen::map(rc::gen::pair(rc::gen::container<std::vector<char>>(rc::gen::element('a', 'b', 'c')),
                                    rc::gen::arbitrary<bool>()),
                      [](const std::pair<std::vector<char>, bool>& of) {
                        std::string text;
                        for (const char letter : of.first) text += {letter, '\n'};
                        if (of.second && !text.empty()) text.pop_back();
                        return text;
                      });
}

}  // namespace

TEST_CASE("a difference applied to the first text gives the second") {
  CHECK(rc::check([] {
    const auto before = *any_text();
    const auto after = *any_text();
    const auto diff = unified_diff(before, after, {"a", "b"});
    RC_ASSERT(diff.empty() == (before == after));
    if (!diff.empty()) RC_ASSERT(patched(before, diff) == after);
  }));
}

TEST_CASE("a difference has three lines of context, and far changes are hunks of their own") {
  const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
  const std::string after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13";
  CHECK(unified_diff(before, after, {"old", "new"}) ==
        "--- old\n+++ new\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -10,3 +10,4 @@\n 10\n 11\n "
        "12\n"
        "+13\n\\ No newline at end of file\n");
}

TEST_CASE("a whole new text is one hunk from nothing") {
  CHECK(unified_diff("", "a\n", {"/dev/null", "f"}) == "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
}
