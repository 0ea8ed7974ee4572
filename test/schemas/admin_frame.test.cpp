#include "schemas/admin_frame.hpp"

#include <catch2/catch.hpp>

using namespace firstlight;

TEST_CASE("the head of an admin frame comes back as it was sent") {
  for (const auto kind : {admin_frame_kind::request, admin_frame_kind::progress, admin_frame_kind::reply,
                          admin_frame_kind::failure}) {
    const admin_frame_head head{kind, errc::not_ready, 0x01020304};
    CHECK(decode_admin_frame_head(encode(head), 0x01020304) == head);
  }
}

TEST_CASE("a body above the limit is refused before it is read") {
  const auto bytes = encode(admin_frame_head{.body_bytes = 101});
  CHECK(decode_admin_frame_head(bytes, 101));
  CHECK(decode_admin_frame_head(bytes, 100).error().code == errc::limit_exceeded);
}

TEST_CASE("what is no head of an admin frame is another protocol") {
  const auto good = encode(admin_frame_head{.kind = admin_frame_kind::failure, .body_bytes = 1});
  for (const auto& [at, value] : {std::pair{0, 0}, {3, int{'2'}}, {4, 0}, {4, 5}, {5, 0}, {5, 17}}) {
    auto bytes = good;
    bytes[static_cast<std::size_t>(at)] = static_cast<std::byte>(value);
    CHECK(decode_admin_frame_head(bytes, 100).error().code == errc::protocol);
  }
}
