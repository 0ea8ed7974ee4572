#include "model/snapshot_filter.hpp"

#include <catch2/catch.hpp>
#include <regex>

using namespace firstlight;

namespace {

const snapshot_record web{
    .name = "default/3/web",
    .parent = "sha256:aa",
    .kind = snapshot_kind::active,
    .labels = {
        {"tier", "front"}, {"my-team", "blue"}, {"2nd", "yes"}, {"containerd.io/snapshot.ref", "sha256:bb"}}};

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

TEST_CASE("names in a snapshot filter may have dashes and begin with a digit") {
  CHECK(matches({"labels.my-team==blue"}));
  CHECK(matches({"labels.2nd"}));
  CHECK_FALSE(matches({"labels.my-tea"}));
}

TEST_CASE("spaces may stand before names, operators and values of a snapshot filter") {
  CHECK(matches({"kind==active, labels.tier==front"}));
  CHECK(matches({" kind ~= ^act,\tlabels.tier"}));
  CHECK_FALSE(matches({"kind==active, labels.tier == back"}));
  CHECK(matches({R"(labels. "tier" == "front")"}));
}

TEST_CASE("characters of a snapshot filter may be escaped as Go does it") {
  const auto is = [](const std::string& escaped, const std::string& label) {
    const auto filter = snapshot_filter::parse({"labels.a==\"" + escaped + "\""}, compile);
    INFO((filter ? "" : filter.error().detail));
    REQUIRE(filter.has_value());
    return filter->matches({.labels = {{"a", label}}});
  };
  CHECK(is(R"(\146\157o)", "foo"));
  CHECK(is(R"(\u0041\u00e9\u20ac)", "A\xc3\xa9\xe2\x82\xac"));
  CHECK(is(R"(\U0001f600)", "\xf0\x9f\x98\x80"));
  CHECK(is(R"(\xff\377)", "\xff\xff"));
  for (const auto* bad : {R"("\8")", R"("\14")", R"("\400")", R"("\u12")", R"("\ud800")", R"("\U00110000")",
                          R"("\U0001f60")", R"("\u-123")"}) {
    INFO(bad);
    CHECK(snapshot_filter::parse({std::string("labels.a==") + bad}, compile).error().code ==
          errc::invalid_argument);
  }
}

TEST_CASE("what is no snapshot filter is refused with the place of the mistake") {
  for (const auto* bad : {"=", "name=", "name==", "name=x", ".name", "name.", "name==x,", "name==x y",
                          "labels.\"open", "labels.\"a\\q\"", "name==\"x", "name~=(", "name~=/x",
                          "name==x ,kind", "name ", " ", "name .x", "name = =x", "\"\\x4"})
    CHECK(snapshot_filter::parse({bad}, compile).error().code == errc::invalid_argument);
  CHECK(snapshot_filter::parse({"name==a,=="}, compile).error().detail ==
        "filter name==a,==: expected a field's name or \"...\" at byte 9");
}
