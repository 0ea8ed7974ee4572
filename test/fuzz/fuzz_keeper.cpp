// What a node and its keeper say, and what either finds of the other: keeper messages, mount records,
// requests to a daemon.
#include <cstdlib>
#include <cstring>

#include "schemas/admin.hpp"
#include "schemas/keeper_message.hpp"
#include "schemas/mount_record.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> bytes(size);  // vectors are aligned
  if (size != 0) std::memcpy(bytes.data(), data, size);
  if (const auto message = decode_keeper_message(bytes)) {
    const auto again = decode_keeper_message(encode(*message));
    if (!again || again->index() != message->index()) std::abort();
  }
  if (const auto record = decode_mount_record(bytes))
    if (decode_mount_record(encode_mount_record(*record)) != *record) std::abort();
  if (const auto request = decode_admin_request(bytes))
    if (decode_admin_request(encode(*request).bytes) != *request) std::abort();
  if (const auto reply = decode_admin_reply(bytes))
    if (decode_admin_reply(encode(*reply).bytes) != *reply) std::abort();
  static_cast<void>(decode_admin_progress(bytes));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const auto text = [](bytes_view bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  mount_record record{.target = "/srv/a", .mounted_at = 1, .named = true, .mode = mount_mode::fuse};
  record.image.reference = "redis:7";
  record.writable = {{3}, "/var/lib/rw/3"};
  const auto some = share(std::vector<std::byte>(40, std::byte{7}));
  return {text(encode(keeper_message(keeper_keep{{"redis", some, some}}))),
          text(encode(keeper_message(keeper_drop{"redis"}))),
          text(encode(keeper_message(keeper_kept{{"redis", some, some}}))),
          text(encode_mount_record(record)),
          text(encode(admin_request(
                          admin_mount_request{"redis:7", "", "/mnt", "name", true, "fuse", "group", true}))
                   .bytes),
          text(encode(admin_request(admin_commit{"name", "/tmp/layer.tar"})).bytes),
          text(encode(admin_reply(admin_committed{"/tmp/layer.tar", 1, 2, "sha256:0"})).bytes)};
}
