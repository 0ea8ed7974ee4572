#include "schemas/peer_codec.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("questions and answers between hubs come back as they were") {
  trace_id id;
  id.value.bytes[7] = std::byte{9};
  const auto ids = decode_inquiry(encode_inquiry(ids_question{5, 77, std::chrono::seconds(9)}));
  REQUIRE(ids);
  CHECK(std::get<ids_question>(*ids).epoch == 5);
  CHECK(std::get<ids_question>(*ids).position == 77);
  CHECK(std::get<ids_question>(*ids).wait == std::chrono::seconds(9));
  CHECK(std::get<trace_question>(*decode_inquiry(encode_inquiry(trace_question{id}))).id == id);
  const auto known = decode_reply(encode_reply(ids_answer{5, 2, false, {id, {}}, true}));
  REQUIRE(known);
  CHECK(std::get<ids_answer>(*known).ids == std::vector<trace_id>{id, {}});
  CHECK_FALSE(std::get<ids_answer>(*known).last);
  CHECK(std::get<ids_answer>(*known).waited);
  CHECK(
      std::get<trace_answered>(*decode_reply(encode_reply(trace_answered{{std::byte{1}}}))).encoded.size() ==
      1);
  CHECK_FALSE(decode_inquiry({}));
  CHECK_FALSE(decode_reply({}));
}
