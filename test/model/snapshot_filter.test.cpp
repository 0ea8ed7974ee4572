#include "model/snapshot_filter.hpp"

#include <catch2/catch.hpp>
#include <regex>

using namespace firstlight;

namespace {

const snapshot_record web{.name = "default/3/web",
                          .parent = "sha256:aa",
                          .kind = snapshot_kind::active,
                          .labels = {{"tier", "front"}, {"containerd.io/snapshot.ref", "sha256:bb"}}};

/// Some regular expressions; the node's own are tested with it.
result<snapshot_filter::pattern> compile(const std::string& expression) {
  try {
    return snapshot_filter::pattern([compiled = std::regex(expression)](std::string_view text) {
      return std::regex_search(text.begin(), text.end(), compiled);
    });
  } catch (const std::regex_error&) {
    return fail(errc::invalid_argument, "no regular expression");
  }
}

bool matches(const std::vector<std::string>& filters) {
  const auto filter = snapshot_filter::parse(filters, compile);
  INFO((filter ? "" : filter.error().detail));
  REQUIRE(filter.has_value());
  return filter->matches(web);
}

}  // namespace

TEST_CASE("a snapshot filter compares each field of a snapshot") {
  CHECK(matches({"name==default/3/web"}));
  CHECK_FALSE(matches({"name==web"}));
  CHECK(matches({"parent==sha256:aa"}));
  CHECK(matches({"parent==\"sha256:aa\""}));
  CHECK(matches({"kind==active"}));
  CHECK(matches({"kind!=view"}));
  CHECK(matches({"labels.tier==front"}));
  CHECK(matches({"labels.\"containerd.io/snapshot.ref\"==sha256:bb"}));
  CHECK(matches({"name~=^default/[0-9]+/.*"}));
  CHECK(matches({"name~=/3\\/web$/"}));
  CHECK(matches({"name~=|w.b|"}));
  CHECK_FALSE(matches({"kind~=^view"}));
}

TEST_CASE("a snapshot filter asks for the presence of fields, and knows what is not there") {
  CHECK(matches({"labels.tier"}));
  CHECK_FALSE(matches({"labels.tail"}));
  CHECK_FALSE(matches({"colour"}));
  CHECK_FALSE(matches({"labels.tail==x"}));
  CHECK(matches({"labels.tail!=x"}));
  CHECK(matches({"labels.tail~=.*"}));
  CHECK(matches({"labels.tail~=^$"}));
  CHECK_FALSE(matches({"labels.tail~=x"}));
  CHECK(matches({"colour~=^$"}));
}

TEST_CASE("selectors of one snapshot filter must all match, of several filters one") {
  CHECK(matches({"kind==active,labels.tier==front"}));
  CHECK_FALSE(matches({"kind==active,labels.tier==back"}));
  CHECK(matches({"kind==view", "labels.tier==front"}));
  CHECK_FALSE(matches({"kind==view", "kind==committed"}));
  CHECK(matches({}));
  CHECK(matches({"kind==view", ""}));
}

TEST_CASE("values of a snapshot filter may be quoted") {
  CHECK(matches({R"(labels."tier"=="front")"}));
  CHECK(matches({R"(labels."t\x69er"=="fr\x6fnt")"}));
  CHECK_FALSE(matches({R"(labels.tier=="front,kind")"}));
}

TEST_CASE("what is no snapshot filter is refused with the place of the mistake") {
  for (const auto* bad :
       {"=", "name=", "name==", "name== x", "name=x", ".name", "name.", "name==x,", "name==x y",
        "labels.\"open", "labels.\"a\\q\"", "name==\"x", "name~=(", "name~=/x", "3==x", "\"\\x4"})
    CHECK(snapshot_filter::parse({bad}, compile).error().code == errc::invalid_argument);
  CHECK(snapshot_filter::parse({"name==a,=="}, compile).error().detail ==
        "filter name==a,==: expected a field's name or \"...\" at byte 9");
}
