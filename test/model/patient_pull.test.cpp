#include "model/patient_pull.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;
using namespace std::chrono_literals;
using next = patient_pull::next;
using request_is = patient_pull::request_is;

namespace {

constexpr instant start = instant{} + 100s;
const error no_hub{errc::unavailable, "no link to the hub"};

/// One that may wait ten seconds, whose first try began over this link.
patient_pull begun_over(link_number link, request_is whose = request_is::own) {
  patient_pull pull(10s, start);
  pull.begins(whose);
  pull.began_over(link);
  return pull;
}

}  // namespace

TEST_CASE("a patient pull is over with any refusal but that of a hub that cannot be reached") {
  for (const auto code : {errc::not_found, errc::denied, errc::io, errc::busy, errc::timed_out}) {
    auto pull = begun_over(std::nullopt);
    CHECK(pull.failed({code, "no"}) == next::refuse);
    CHECK(pull.why() == error{code, "no"});
  }
}

TEST_CASE("a patient pull waits for a link, and begins anew with it") {
  auto pull = begun_over(std::nullopt);
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.link_is(std::nullopt, start + 1s) == next::wait_for_link);
  CHECK(pull.left(start + 1s) == 9s);
  CHECK(pull.no_link(errc::timed_out, start + 4s) == next::wait_for_link);
  CHECK(pull.left(start + 4s) == 6s);
  CHECK(pull.linked(start + 5s) == next::begin);
}

TEST_CASE("a patient pull takes for the hub's own what came over a link that was up all the time") {
  auto pull = begun_over(3);
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.link_is(3, start + 1s) == next::refuse);
  CHECK(pull.why() == no_hub);
}

TEST_CASE("a patient pull begins anew at once when the link has come up since its try began") {
  for (const link_number before : {link_number{}, link_number{2}}) {
    auto pull = begun_over(before);
    CHECK(pull.failed(no_hub) == next::ask_link);
    CHECK(pull.link_is(3, start + 1s) == next::begin);
    pull.begins(request_is::own);
    pull.began_over(3);
    CHECK(pull.failed(no_hub) == next::ask_link);
    CHECK(pull.link_is(3, start + 2s) == next::refuse);
  }
}

TEST_CASE("a patient pull asks the hub itself before it believes a refusal of an earlier request") {
  auto pull = begun_over(3, request_is::joined);
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.link_is(3, start + 1s) == next::begin);
}

TEST_CASE("a patient pull forgets with each try over which link the one before began") {
  auto pull = begun_over(3);
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.link_is(std::nullopt, start + 1s) == next::wait_for_link);
  CHECK(pull.linked(start + 2s) == next::begin);
  pull.begins(request_is::own);  // and the link does not say how it is
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.link_is(3, start + 3s) == next::begin);
}

TEST_CASE("a patient pull has had its time when that is over, whatever the link does") {
  auto pull = begun_over(std::nullopt);
  CHECK(pull.failed(no_hub) == next::ask_link);
  const error late{errc::timed_out, no_hub.detail};
  SECTION("it is still away") {
    CHECK(pull.link_is(std::nullopt, start + 10s) == next::refuse);
  }
  SECTION("it has come up by the time it is asked") {
    CHECK(pull.link_is(1, start + 10s) == next::refuse);
  }
  SECTION("it comes too late") {
    CHECK(pull.link_is(std::nullopt, start + 9'999ms) == next::wait_for_link);
    CHECK(pull.left(start + 9'999ms) == 1ms);
    CHECK(pull.linked(start + 10s) == next::refuse);
  }
  SECTION("it never comes") {
    CHECK(pull.no_link(errc::timed_out, start + 10s) == next::refuse);
  }
  CHECK(pull.why() == late);
}

TEST_CASE("a patient pull does not wait for a link that has ended for good") {
  auto pull = begun_over(std::nullopt);
  CHECK(pull.failed(no_hub) == next::ask_link);
  CHECK(pull.no_link(errc::unavailable, start + 1s) == next::refuse);
  CHECK(pull.why() == no_hub);
}

TEST_CASE("what is left of a patient pull's time is never nothing and never too short") {
  const auto pull = begun_over(std::nullopt);
  CHECK(pull.left(start + 10s) == 1ms);
  CHECK(pull.left(start + 12s) == 1ms);
  CHECK(pull.left(start + 9s + 1us) == 1'000ms);
}
