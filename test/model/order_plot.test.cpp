#include "model/order_plot.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace firstlight;
using namespace std::chrono_literals;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++times;
  return times;
}

/// Three reads of two files: one that was there, one that waited for its turn, one that was asked for.
order_score three_reads() {
  order_score score;
  score.end = 100ms;
  score.accesses = {{{0, 0, 1}, 50ms, 0ms, false, 10ms},
                    {{0, 1, 1}, 50ms, 20ms, false, 70ms},
                    {{1, 0, 1}, 80ms, 20ms, true, 100ms}};
  return score;
}

}  // namespace

TEST_CASE("a plot has a bar for each read, coloured by how it went, and a mark when it had arrived") {
  const std::array<std::string, 2> paths{"bin/redis", "lib/<odd>"};
  const auto svg = plot_replay(three_reads(), paths, "a start & its order");
  for (const std::string colour : {"#37a", "#e90", "#c33"})
    CHECK(count(svg, "fill=\"" + colour + "\"") == 2);  // one is in the legend
  CHECK(count(svg, "<circle ") == 4);
  // 900 units are 100 ms, from 320 on.
  CHECK(count(svg, "<circle cx=\"410.0\" cy=\"44.5\"") == 1);
  CHECK(count(svg, "<circle cx=\"950.0\" cy=\"44.5\"") == 1);
  CHECK(count(svg, "<circle cx=\"1220.0\" cy=\"56.5\"") == 1);
  CHECK(count(svg, "<rect x=\"770.0\" y=\"40.0\" width=\"180.0\"") == 1);
  for (const std::string meaning : {"there", "waited", "asked for", "last byte has arrived"})
    CHECK(count(svg, ">" + meaning + "</text>") == 1);
  CHECK(count(svg, "lib/&lt;odd&gt;") == 1);
  CHECK(count(svg, "a start &amp; its order") == 1);
  CHECK(count(svg, ">100.0 ms<") == 1);
}

TEST_CASE("a plot of a start that read nothing is a picture, too") {
  const auto svg = plot_replay({}, {}, "nothing");
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(count(svg, "<circle ") == 1);
}
