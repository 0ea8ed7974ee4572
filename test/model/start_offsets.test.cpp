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
  const std::vector<grouped_start> starts{{image(1), "shop", "n1", 1000s}, {image(2), "shop", "n1", 1002s},
                                          {image(1), "shop", "n1", 5000s}, {image(2), "shop", "n1", 5004s},
                                          {image(1), "shop", "n1", 9000s}, {image(2), "shop", "n1", 9003s}};
  CHECK(start_offsets(starts) ==
        std::map<toc_id, std::chrono::milliseconds>{{image(1), 0ms}, {image(2), 3000ms}});
}

TEST_CASE("starts of no group, of different groups, far apart, or of one image alone say nothing") {
  CHECK(start_offsets({}).empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), std::string(default_trace_group), "n1", 1s},
                                                 {image(2), std::string(default_trace_group), "n1", 2s}})
            .empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", "n1", 1s}, {image(2), "b", "n1", 2s}})
            .empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", "n1", 1s}, {image(2), "a", "n1", 302s}})
            .empty());
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "a", "n1", 1s}, {image(1), "a", "n1", 2s}})
            .empty());
}

TEST_CASE("an image that starts again begins another round of its group") {
  const std::vector<grouped_start> starts{
      {image(1), "a", "n1", 10s}, {image(1), "a", "n1", 20s}, {image(2), "a", "n1", 21s}};
  CHECK(start_offsets(starts).at(image(2)) == 1000ms);
}

TEST_CASE("what the first image had waited for our delivery does not make the others start later") {
  // Between 2 and 7 seconds it waited, twice at once; what it waited for later says nothing of the others.
  const std::vector<waited_span> waits{{2s, 4s}, {3s, 4s}, {30s, 5s}};
  const std::vector<grouped_start> starts{{image(1), "shop", "n1", 1000s, waits},
                                          {image(2), "shop", "n1", 1001s, {{0s, 60s}}},
                                          {image(3), "shop", "n1", 1004s},
                                          {image(4), "shop", "n1", 1010s}};
  CHECK(start_offsets(starts) ==
        std::map<toc_id, std::chrono::milliseconds>{
            {image(1), 0ms}, {image(2), 1000ms}, {image(3), 2000ms}, {image(4), 5000ms}});
}

TEST_CASE("starts of different nodes were not made together, however close they are") {
  // By time alone the first node's image 2 belongs to the second node's image 1.
  const std::vector<grouped_start> starts{{image(1), "shop", "n1", 1000s},
                                          {image(2), "shop", "n1", 1060s},
                                          {image(1), "shop", "n2", 1059s},
                                          {image(2), "shop", "n2", 1119s}};
  CHECK(start_offsets(starts) ==
        std::map<toc_id, std::chrono::milliseconds>{{image(1), 0ms}, {image(2), 60'000ms}});
  CHECK(start_offsets(std::vector<grouped_start>{{image(1), "shop", "n1", 1s}, {image(2), "shop", "n2", 2s}})
            .empty());
}

TEST_CASE("offsets count from first access to first access") {
  const auto offsets_of = [](std::chrono::nanoseconds first, std::chrono::nanoseconds second) {
    return start_offsets(std::vector<grouped_start>{{image(1), "shop", "n1", 1000s, {}, first},
                                                    {image(2), "shop", "n1", 1002s, {}, second}});
  };
  using offsets = std::map<toc_id, std::chrono::milliseconds>;
  CHECK(offsets_of(3s, 5s) == offsets{{image(1), 0ms}, {image(2), 4000ms}});
  CHECK(offsets_of(5s, 1s) == offsets{{image(1), 2000ms}, {image(2), 0ms}});
}

TEST_CASE("offsets do not depend on the order of the starts, and lie within what counts as together") {
  rc::check([] {
    auto starts = *rc::gen::container<std::vector<grouped_start>>(rc::gen::construct<grouped_start>(
        rc::gen::map(rc::gen::inRange<std::uint8_t>(1, 5), image),
        rc::gen::element<std::string>("a", "b", "default"), rc::gen::element<std::string>("n1", "n2"),
        rc::gen::map(rc::gen::inRange(0, 2000), [](int at) { return std::chrono::nanoseconds(at * 1s); }),
        rc::gen::container<std::vector<waited_span>>(rc::gen::construct<waited_span>(
            rc::gen::map(rc::gen::inRange(0, 900), [](int at) { return std::chrono::nanoseconds(at * 1s); }),
            rc::gen::map(rc::gen::inRange(0, 900),
                         [](int at) { return std::chrono::nanoseconds(at * 1s); }))),
        rc::gen::map(rc::gen::inRange(0, 60), [](int at) { return std::chrono::nanoseconds(at * 1s); })));
    const auto offsets = start_offsets(starts);
    for (const auto& [of, offset] : offsets) RC_ASSERT(offset >= 0ms && offset <= 360s);
    std::reverse(starts.begin(), starts.end());
    RC_ASSERT(start_offsets(starts) == offsets);
  });
}
