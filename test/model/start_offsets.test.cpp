#include "model/start_offsets.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

toc_id image(std::uint8_t number) {
  toc_id id;
  id.value.bytes[0] = std::byte{number};
  return id;
}

}  // namespace

TEST_CASE("the offset of an image is the median over the times that its group was started") {
  const std::vector<grouped_start> starts{{image(1), "shop", 1000s}, {image(2), "shop", 1002s},
                                          {image(1), "shop", 5000s}, {image(2), "shop", 5004s},
                                          {image(1), "shop", 9000s}, {image(2), "shop", 9003s}};
  CHECK(start_offsets(starts) ==
        std::map<toc_id, std::chrono::milliseconds>{{image(1), 0ms}, {image(2), 3000ms}});
}

TEST_CASE("starts of no group, of different groups, far apart, or of one image alone say nothing") {
  CHECK(start_offsets({}).empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), std::string(default_trace_group), 1s},
                                                 {image(2), std::string(default_trace_group), 2s}})
            .empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", 1s}, {image(2), "b", 2s}}).empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", 1s}, {image(2), "a", 302s}}).empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", 1s}, {image(1), "a", 2s}}).empty());
}

TEST_CASE("an image that starts again begins another round of its group") {
  const std::vector<grouped_start> starts{{image(1), "a", 10s}, {image(1), "a", 20s}, {image(2), "a", 21s}};
  CHECK(start_offsets(starts).at(image(2)) == 1000ms);
}

TEST_CASE("what the first image had waited for our delivery does not make the others start later") {
  // Between 2 and 7 seconds it waited, twice at once; what it waited for later says nothing of the others.
  const std::vector<waited_span> waits{{2s, 4s}, {3s, 4s}, {30s, 5s}};
  const std::vector<grouped_start> starts{{image(1), "shop", 1000s, waits},
                                          {image(2), "shop", 1001s, {{0s, 60s}}},
                                          {image(3), "shop", 1004s},
                                          {image(4), "shop", 1010s}};
  CHECK(start_offsets(starts) ==
        std::map<toc_id, std::chrono::milliseconds>{
            {image(1), 0ms}, {image(2), 1000ms}, {image(3), 2000ms}, {image(4), 5000ms}});
}

TEST_CASE("offsets do not depend on the order of the starts, and lie within what counts as together") {
  rc::check([] {
    auto starts = *rc::gen::container<std::vector<grouped_start>>(rc::gen::construct<grouped_start>(
        rc::gen::map(rc::gen::inRange<std::uint8_t>(1, 5), image),
        rc::gen::element<std::string>("a", "b", "default"),
        rc::gen::map(rc::gen::inRange(0, 2000), [](int at) { return std::chrono::nanoseconds(at * 1s); }),
        rc::gen::container<std::vector<waited_span>>(rc::gen::construct<waited_span>(
            rc::gen::map(rc::gen::inRange(0, 900), [](int at) { return std::chrono::nanoseconds(at * 1s); }),
            rc::gen::map(rc::gen::inRange(0, 900),
                         [](int at) { return std::chrono::nanoseconds(at * 1s); })))));
    const auto offsets = start_offsets(starts);
    for (const auto& [of, offset] : offsets) RC_ASSERT(offset >= 0ms && offset <= 300s);
    std::reverse(starts.begin(), starts.end());
    RC_ASSERT(start_offsets(starts) == offsets);
  });
}
