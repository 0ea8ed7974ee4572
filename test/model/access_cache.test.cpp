#include "model/access_cache.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

using namespace firstlight;
using std::chrono::seconds;

namespace {

const access_times times{
    .allowed = seconds(300), .refused = seconds(10), .away = seconds(3600), .resumed = seconds(60)};
const instant start{};
const error no{errc::denied, "no"};
const access_key ann{digest{}, "host/app:1", "host/app"};

}  // namespace

TEST_CASE("a yes counts for its time, a no for its own") {
  access_cache cache(times);
  CHECK_FALSE(cache.answer(ann, start));
  cache.note(ann, std::nullopt, start);
  REQUIRE(cache.answer(ann, start + seconds(299)));
  CHECK_FALSE(*cache.answer(ann, start + seconds(299)));
  CHECK_FALSE(cache.answer(ann, start + seconds(300)));
  cache.note(ann, no, start + seconds(300));
  CHECK(**cache.answer(ann, start + seconds(309)) == no);
  CHECK_FALSE(cache.answer(ann, start + seconds(310)));
}

TEST_CASE("another login or image is another question") {
  access_cache cache(times);
  cache.note(ann, std::nullopt, start);
  auto other = ann;
  other.login.bytes[0] = std::byte{1};
  CHECK_FALSE(cache.answer(other, start));
  CHECK_FALSE(cache.answer({ann.login, "host/app:2", "host/app"}, start));
}

TEST_CASE("while a registry is away its last answer counts if that was a yes and not too old") {
  access_cache cache(times);
  CHECK_FALSE(cache.allowed_before(ann, start));
  cache.note(ann, std::nullopt, start);
  CHECK(cache.allowed_before(ann, start + seconds(3599)));
  CHECK_FALSE(cache.allowed_before(ann, start + seconds(3600)));
  cache.note(ann, no, start + seconds(1));
  CHECK_FALSE(cache.allowed_before(ann, start + seconds(2)));
}

TEST_CASE("what a registry says of one tag counts for the others while it is away") {
  access_cache cache(times);
  const access_key other_tag{ann.login, "host/app:2", "host/app"};
  cache.note(ann, std::nullopt, start);
  CHECK(cache.allowed_before(other_tag, start));
  cache.note(other_tag, error{errc::not_found, "no such tag"}, start);
  CHECK(cache.allowed_before(ann, start));
  cache.note(other_tag, no, start);
  CHECK_FALSE(cache.allowed_before(ann, start));
  CHECK_FALSE(cache.allowed_before({ann.login, "host/app2:1", "host/app2"}, start));
}

TEST_CASE("a delivery may go on for a while, to its own node") {
  access_cache cache(times);
  const toc_id toc{};
  cache.note_delivery("one", toc, start);
  CHECK(cache.may_go_on("one", toc, start + seconds(59)));
  CHECK_FALSE(cache.may_go_on("one", toc, start + seconds(60)));
  CHECK_FALSE(cache.may_go_on("two", toc, start));
}

TEST_CASE("the cache never holds more than it may, and drops the oldest") {
  CHECK(rc::check([] {
    auto small = times;
    small.entries_max = *rc::gen::inRange<std::uint32_t>(1, 8);
    access_cache cache(small);
    const auto asked = *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::arbitrary<std::uint8_t>());
    auto now = start;
    for (const auto one : asked) {
      const auto repository = "host/" + std::to_string(one);
      const access_key key{digest{}, repository + ":1", repository};
      cache.note(key, std::nullopt, now += seconds(1));
      RC_ASSERT(cache.size() <= small.entries_max);
      RC_ASSERT(cache.answer(key, now).has_value());
    }
  }));
}
