// Traces that nodes send, and trace files of other tools.
#include <cstdlib>

#include "schemas/trace_codec.hpp"
#include "schemas/trace_json.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bytes_view bytes(reinterpret_cast<const std::byte*>(data), size);
  if (const auto recorded = decode_trace(bytes)) {
    if (decode_trace(encode_trace(*recorded)) != *recorded) std::abort();
    const auto good = check_trace(*recorded, {}, std::chrono::seconds(1'700'000'000));
    if (good && recorded->files.empty()) std::abort();
  }
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto file = parse_trace_file(text)) static_cast<void>(trace_file_json(*file));
  if (const auto groups = parse_collection(text)) static_cast<void>(collection_json(*groups));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  trace made;
  made.reference = "example.org/app:1";
  made.started = std::chrono::seconds(1'600'000'000);
  made.files = {{"usr/bin/app", std::chrono::milliseconds(1), {}, {{0, 4, std::chrono::milliseconds(1), {}}}},
                {"etc/x", std::chrono::milliseconds(5), {}, {}}};
  const auto bytes = encode_trace(made);
  return {
      {reinterpret_cast<const char*>(bytes.data()), bytes.size()},
      R"({"group":"default","image":{"n":"redis","t":"6"},"start":"2021-12-03T04:05:06.7Z","seq":[{"f":"/a","a":1,"w":2}]})",
      R"({"Groups":[{"h":[{"f":"/a","a":1,"w":2,"r":0,"s":0}],"i":[{"n":"db","t":"1"}]}]})"};
}
