#include <catch2/catch.hpp>

#include "model/trace_cut.hpp"
#include "schemas/trace_codec.hpp"
#include "schemas/trace_json.hpp"

using namespace firstlight;
using namespace std::chrono_literals;

TEST_CASE("a trace comes back from its bytes as it was") {
  trace made;
  made.id.value.bytes[3] = std::byte{7};
  made.toc.value.bytes[5] = std::byte{9};
  made.reference = "example.org/app:1";
  made.group = "shop";
  made.node = "n1";
  made.started = 1'700'000'000s + 123ns;
  made.files = {{"usr/bin/\xff odd", 1ms, 2ms, {{0, 4, 1ms, 2ms}, {9, 1, 3ms, 0ns}}},
                {"etc/x", 5ms, 0ns, {}}};
  CHECK(decode_trace(encode_trace(made)) == made);
  made.spelling = {"app", "1", true};
  CHECK(decode_trace(encode_trace(made)) == made);
  CHECK(decode_sent(encode_trace(made)).value() == 0ns);
  CHECK(decode_trace(encode_trace(made, 5s)) == made);
  CHECK(decode_sent(encode_trace(made, 5s)).value() == 5s);
  auto cut = encode_trace(made);
  cut.resize(cut.size() / 2);
  CHECK(decode_trace(cut).error().code == errc::corrupt);
  CHECK(decode_sent(cut).error().code == errc::corrupt);
}

TEST_CASE("a trace above a size loses its latest accesses, and only as many as it must") {
  trace made;
  made.reference = "example.org/app:1";
  for (int i = 0; i < 2'000; ++i) {
    made.files.push_back({"usr/lib/file" + std::to_string(i), i * 1ms, 0ms, {}});
    for (std::uint32_t run = 0; run < 20; ++run)
      made.files.back().runs.push_back({run * 2, 1, i * 1ms + run * 1s, 0ms});
  }
  const auto whole = made;
  cut_trace(made, 16'000'000);
  CHECK(made == whole);
  constexpr std::size_t bytes_max = 300'000;
  cut_trace(made, bytes_max);
  CHECK(encode_trace(made).size() <= bytes_max);
  CHECK(encode_trace(made).size() > bytes_max * 8 / 10);
  CHECK(made.files[0].runs[0] == whole.files[0].runs[0]);
  for (const auto& file : made.files) CHECK_FALSE(file.runs.empty());
}

TEST_CASE("a time of RFC 3339 keeps its nanoseconds and its offset", "[trace_json]") {
  CHECK(rfc3339(0ns) == "1970-01-01T00:00:00Z");
  const auto time = parse_rfc3339("2021-12-03T04:05:06.000000789+02:00");
  REQUIRE(time);
  CHECK(rfc3339(*time) == "2021-12-03T02:05:06.000000789Z");
  CHECK(parse_rfc3339("2021-12-03T02:05:06.5Z").value() ==
        parse_rfc3339("2021-12-02t22:05:06.5-04:00").value());
  for (const std::string wrong :
       {"", "2021-12-03", "2021-13-03T02:05:06Z", "2021-02-30T02:05:06Z", "2021-12-03T02:05:06",
        "2021-12-03T02:05:06.Z", "2021-12-03T02:05:06.1234567890Z", "2021-12-03T25:05:06Z",
        "x021-12-03T02:05:06Z", "2021-12-03T02:05:06+2:00", "2021-12-03T-2:05:06Z", "2021-12-03T02:05:+6Z",
        "2021-12-03T02:05: 6Z", "2021-12-03T02:05:06+-1:00", "2021-12-03T02:05:06+01:-1"})
    CHECK_FALSE(parse_rfc3339(wrong));
}

TEST_CASE("a trace file round-trips to the byte", "[trace_json]") {
  const std::string text =
      R"({"group":"default","image":{"n":"redis","t":"6.2.1"},"start":"2021-12-03T04:05:06.000000789Z",)"
      R"("seq":[{"f":"/usr/local/bin/redis-server","a":1000,"w":20},{"f":"/etc/passwd","a":2000000000,"w":0}]})";
  const auto file = parse_trace_file(text);
  REQUIRE(file);
  CHECK(file->image == named_image{"redis", "6.2.1"});
  CHECK(file->accesses[1].access == 2s);
  CHECK(trace_file_json(*file) == text);
}

TEST_CASE("a collection round-trips to the byte", "[trace_json]") {
  const std::string text =
      R"({"Groups":[{"h":[{"f":"/a","a":1,"w":2,"r":0,"s":1},{"f":"/b","a":3,"w":0,"r":1,"s":0}],)"
      R"("i":[{"n":"db","t":"1"},{"n":"web","t":"2"}]}]})";
  const auto groups = parse_collection(text);
  REQUIRE(groups);
  CHECK(collection_json(*groups) == text);
}

TEST_CASE("JSON that is no trace is refused with what is wrong", "[trace_json]") {
  for (const std::string wrong :
       {R"([])", R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":{}})",
        R"({"image":{},"start":"2021-12-03T04:05:06Z","seq":[]})",
        R"({"image":{"n":"x"},"start":1,"seq":[]})",
        R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":[{"f":"a","a":1.5,"w":0}]})",
        R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":[{"f":"a","a":NaN,"w":0}]})",
        R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":[{"f":"a","a":-1,"w":0}]})",
        R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":[{"f":"a","a":1,"w":-1}]})",
        R"({"image":{"n":"x"},"start":"2021-12-03T04:05:06Z","seq":[{"a":1,"w":0}]})"}) {
    INFO(wrong);
    CHECK(parse_trace_file(wrong).error().code == errc::corrupt);
  }
  CHECK_FALSE(parse_collection(R"({"Groups":[{"h":[{"f":"a","a":1,"w":0,"r":0,"s":1}],"i":[{"n":"x"}]}]})"));
  // Starts of one image, so far apart that no difference between their times can be counted.
  CHECK_FALSE(parse_collection(R"({"Groups":[{"h":[{"f":"a","a":-9223372036854775808,"w":0,"r":0,"s":0},)"
                               R"({"f":"b","a":9223372036854775807,"w":0,"r":1,"s":0}],"i":[{"n":"x"}]}]})"));
}
