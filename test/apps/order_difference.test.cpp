#include "apps/order_difference.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace firstlight;

namespace {

/// An order in which a start is expected to read these files, and behind them one that it is not.
admin_trace_detail reading(const std::vector<std::string>& paths) {
  admin_trace_detail detail;
  for (const auto& path : paths) {
    detail.order.push_back({path, 0, 1, true});
    detail.order.push_back({path, 1, 4, true});  // a file counts once, where it comes first
  }
  detail.order.push_back({"var/seldom", 0, 1, false});
  return detail;
}

const auto before = reading({"bin/redis", "lib/libssl.so.3", "etc/redis.conf"});
const auto after = reading({"bin/redis", "etc/redis.conf", "lib/libtls.so.1"});

}  // namespace

TEST_CASE("two orders differ by the files that a start of one image only is expected to read") {
  const auto difference = compare_orders(before, after);
  CHECK(difference.removed == std::vector<order_difference::file>{{"lib/libssl.so.3", 1}});
  CHECK(difference.added == std::vector<order_difference::file>{{"lib/libtls.so.1", 2}});
  CHECK(difference.same == 2);
  CHECK(compare_orders(after, after) == order_difference{{}, {}, 3});
  CHECK(compare_orders({}, after).added.size() == 3);
}

TEST_CASE("a difference of orders is a table for people and one line of JSON for programs") {
  const auto difference = compare_orders(before, after);
  CHECK(to_text(difference) ==
        "   FILE             PLACE BEFORE  PLACE NOW\n"
        "-  lib/libssl.so.3  1\n"
        "+  lib/libtls.so.1                2\n"
        "2 files are expected of both\n");
  CHECK(to_json(difference) == R"({"removed":[{"path":"lib/libssl.so.3","place":1}],)"
                               R"("added":[{"path":"lib/libtls.so.1","place":2}],"same":2})");
}

TEST_CASE("a path that is no UTF-8 does not spoil the JSON of a difference") {
  const auto line = to_json(compare_orders({}, reading({"bin/\xff\"\n"})));
  CHECK(line.find('\n') == std::string::npos);
  CHECK(nlohmann::json::parse(line)["added"][0]["path"] == "bin/\xef\xbf\xbd\"\n");
}
