#include <catch2/catch.hpp>

#include "schemas/keeper_message.hpp"
#include "schemas/mount_record.hpp"

using namespace firstlight;

namespace {

shared_bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return share({bytes.begin(), bytes.end()});
}

bool same(const shared_bytes& a, const shared_bytes& b) {
  return std::equal(a.bytes.begin(), a.bytes.end(), b.bytes.begin(), b.bytes.end());
}

mount_record sample() {
  mount_record record{
      .target = "/srv/a \xff", .mounted_at = 1'700'000'000, .named = true, .mode = mount_mode::hybrid};
  record.image.reference = "registry.example/redis:7";
  record.image.platform = "linux/amd64";
  record.image.toc.value.bytes.fill(std::byte{7});
  record.writable = {{3}, "/var/lib/rw/3"};
  return record;
}

}  // namespace

TEST_CASE("a keeper's message comes back from its bytes as it was") {
  const kept_entry entry{"redis-1", bytes_of("init"), bytes_of("record")};
  const auto keep = decode_keeper_message(encode(keeper_keep{entry}));
  REQUIRE(keep);
  const auto& got = std::get<keeper_keep>(*keep).entry;
  CHECK(got.name == entry.name);
  CHECK(same(got.init, entry.init));
  CHECK(same(got.record, entry.record));
  CHECK(std::get<keeper_kept>(*decode_keeper_message(encode(keeper_kept{entry}))).entry.name == "redis-1");
  CHECK(std::get<keeper_drop>(*decode_keeper_message(encode(keeper_drop{"x"}))).name == "x");
  CHECK(std::holds_alternative<keeper_list>(*decode_keeper_message(encode(keeper_list{}))));
  CHECK(std::holds_alternative<keeper_end>(*decode_keeper_message(encode(keeper_end{}))));
}

TEST_CASE("the record of a mount comes back from its bytes as it was") {
  auto record = sample();
  CHECK(*decode_mount_record(encode_mount_record(record)) == record);
  record.writable.reset();
  CHECK(*decode_mount_record(encode_mount_record(record)) == record);
}

TEST_CASE("a cut or odd record of a mount is corrupt") {
  const auto bytes = encode_mount_record(sample());
  for (std::size_t length = 0; length < bytes.size(); length += 8)
    CHECK_FALSE(decode_mount_record(bytes_view(bytes.data(), length)));
  auto odd = sample();
  odd.target = "relative";
  CHECK(decode_mount_record(encode_mount_record(odd)).error().code == errc::corrupt);
  odd = sample();
  odd.mode = mount_mode::automatic;
  CHECK(decode_mount_record(encode_mount_record(odd)).error().code == errc::corrupt);
  odd = sample();
  odd.writable->path.clear();
  CHECK(decode_mount_record(encode_mount_record(odd)).error().code == errc::corrupt);
}
