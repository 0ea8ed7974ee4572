#include "model/marked_lines.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;

namespace {

/// Lines of other people, with ends of both kinds, the last perhaps without.
rc::Gen<std::string> any_text() {
  return rc::gen::apply(
      [](const std::vector<std::string>& lines, bool windows, bool open) {
        std::string text;
        for (const auto& line : lines) text += line + (windows ? "\r\n" : "\n");
        if (open && !text.empty()) text.resize(text.size() - (windows ? 2 : 1));
        return text;
      },
      rc::gen::container<std::vector<std::string>>(
          rc::gen::element<std::string>("", "a = 1", "  b = 'x'  # why", "[t]", "# before: c = 2", "\t")),
      rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>());
}

}  // namespace

TEST_CASE("edits are taken back exactly") {
  CHECK(rc::check([] {
    const auto text = *any_text();
    const auto lines = lines_of(text);
    std::vector<line_edit> edits;
    for (std::size_t at = 0; at <= lines.size(); ++at) {
      if (*rc::gen::arbitrary<bool>())
        edits.push_back({at, line_edit::how::before, {"  new = 1", "more = 2"}});
      if (at < lines.size() && *rc::gen::inRange(0, 4) == 0)
        edits.push_back({at, line_edit::how::instead, {"other"}});
    }
    const auto marked = mark_edits(text, edits);
    RC_ASSERT(has_marked_edits(marked) == !edits.empty());
    RC_ASSERT(take_back_edits(marked).value() == text);
  }));
}

TEST_CASE("edits before one line share their marks, and end as the text ends its lines") {
  CHECK(mark_edits("a\r\n", {{1, line_edit::how::before, {"b"}}, {1, line_edit::how::before, {"c"}}}) ==
        "a\r\n# >>> firstlight install\r\nb\r\nc\r\n# <<< firstlight install\r\n");
}

TEST_CASE("what others wrote around and between marked lines stays") {
  const auto marked = mark_edits("a\nb\n", {{1, line_edit::how::instead, {"  c"}}});
  CHECK(take_back_edits("first\n" + marked + "last").value() == "first\na\nb\nlast");
}

TEST_CASE("a mark without its other one is refused with its line") {
  for (const auto* text :
       {"a\n# >>> firstlight install\nb\n", "a\n# <<< firstlight install\n",
        "a\n# >>> firstlight install\n# >>> firstlight install\n# <<< firstlight install\n"}) {
    const auto back = take_back_edits(text);
    REQUIRE_FALSE(back.has_value());
    CHECK(back.error().code == errc::failed_precondition);
    CHECK(back.error().detail.starts_with("line 2: "));
  }
}
