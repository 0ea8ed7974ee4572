#include "model/doubtful_reads.hpp"

#include <catch2/catch.hpp>

#include "model/read_claim.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

doubtful_read read_of(std::uint32_t content, std::uint32_t block, std::chrono::milliseconds when) {
  return {{content, block, 1}, 10, instant{} + when, 0ns};
}

}  // namespace

TEST_CASE("reads of a content count once it has been opened, those before its open too") {
  doubtful_reads reads;
  CHECK_FALSE(reads.counts(read_of(1, 0, 10s)));
  CHECK_FALSE(reads.counts(read_of(1, 1, 10'001ms)));
  CHECK_FALSE(reads.counts(read_of(2, 0, 10'002ms)));
  const auto counted = reads.opened(1, instant{} + 10'010ms);
  REQUIRE(counted.size() == 2);
  CHECK(counted[0].run.first == 0);
  CHECK(counted[1].run.first == 1);
  CHECK(reads.counts(read_of(1, 2, 10'020ms)));
  CHECK_FALSE(reads.counts(read_of(2, 1, 10'020ms)));
  CHECK(reads.opened(1, instant{} + 10'030ms).empty());
}

TEST_CASE("what was read long before the content was opened was read by another start") {
  doubtful_reads reads({.open_told = 1s});
  CHECK_FALSE(reads.counts(read_of(1, 0, 10s)));
  CHECK_FALSE(reads.counts(read_of(1, 1, 12s)));
  const auto counted = reads.opened(1, instant{} + 13s);
  REQUIRE(counted.size() == 1);
  CHECK(counted[0].run.first == 1);
}

TEST_CASE("once nobody knows what is opened all reads count, by time") {
  doubtful_reads reads;
  CHECK_FALSE(reads.counts(read_of(2, 0, 2ms)));
  CHECK_FALSE(reads.counts(read_of(1, 0, 1ms)));
  reads.waits(3);
  CHECK_FALSE(reads.somebody_waits());
  const auto all = reads.count_all();
  REQUIRE(all.size() == 2);
  CHECK(all[0].run.content == 1);
  CHECK(reads.counts(read_of(3, 0, 3ms)));
  CHECK(reads.somebody_waits());
  CHECK(reads.count_all().empty());
}

TEST_CASE("doubtful reads above the limit are not kept, and room comes back") {
  doubtful_reads reads({.reads_max = 2});
  for (std::uint32_t block = 0; block < 3; ++block) CHECK_FALSE(reads.counts(read_of(1, block, 0ms)));
  CHECK(reads.opened(1, instant{}).size() == 2);
  CHECK_FALSE(reads.counts(read_of(2, 0, 0ms)));
  CHECK(reads.opened(2, instant{}).size() == 1);
}

TEST_CASE("reads that no open can claim any more give way to new ones") {
  doubtful_reads reads({.open_told = 1s, .reads_max = 2});
  for (std::uint32_t block = 0; block < 2; ++block) CHECK_FALSE(reads.counts(read_of(1, block, 0ms)));
  CHECK_FALSE(reads.counts(read_of(2, 0, 3s)));
  CHECK(reads.opened(2, instant{} + 3s).size() == 1);
  CHECK(reads.opened(1, instant{} + 3s).empty());
}

TEST_CASE("only who waits for what has been opened here is waited for") {
  doubtful_reads reads;
  reads.waits(1);
  reads.waits(2);
  CHECK_FALSE(reads.somebody_waits());
  static_cast<void>(reads.opened(1, instant{}));
  CHECK(reads.somebody_waits());
  reads.waits_no_more(1);
  CHECK_FALSE(reads.somebody_waits());
  reads.forget();
  static_cast<void>(reads.opened(2, instant{}));
  CHECK(reads.somebody_waits());
}

TEST_CASE("a read is certain if nobody else has the content") {
  using enum read_claim;
  CHECK(claims_of({{.recorded = true, .follows_opens = true}}) == std::vector{certain});
  CHECK(claims_of({{.recorded = true}}) == std::vector{certain});
  CHECK(claims_of({{.recorded = false}}) == std::vector{none});
}

TEST_CASE("a read of what several mounts have is noted by those that have opened it, or else by the first") {
  using enum read_claim;
  const content_holder told{.recorded = true, .follows_opens = true};
  const content_holder untold{.recorded = true};
  const content_holder unrecorded;
  CHECK(claims_of({told, told}) == std::vector{if_opened, if_opened});
  CHECK(claims_of({unrecorded, told}) == std::vector{none, if_opened});
  CHECK(claims_of({unrecorded, untold, untold}) == std::vector{none, certain, none});
  CHECK(claims_of({untold, told}) == std::vector{certain, if_opened});
  CHECK(claims_of({told, untold}) == std::vector{if_opened, none});
}
