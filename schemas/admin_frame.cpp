#include "schemas/admin_frame.hpp"

#include <algorithm>

namespace firstlight {
namespace {

constexpr std::array<std::byte, 4> magic{std::byte{'F'}, std::byte{'L'}, std::byte{'A'}, std::byte{'1'}};
constexpr std::size_t kind_at = 4;
constexpr std::size_t code_at = 5;
constexpr std::size_t size_at = 8;
constexpr auto errc_last = errc::failed_precondition;

}  // namespace

admin_frame_head_bytes encode(const admin_frame_head& head) {
  admin_frame_head_bytes bytes{};
  std::ranges::copy(magic, bytes.begin());
  bytes[kind_at] = static_cast<std::byte>(head.kind);
  bytes[code_at] = static_cast<std::byte>(head.code);
  for (std::size_t i = 0; i < sizeof head.body_bytes; ++i)
    bytes[size_at + i] = static_cast<std::byte>(head.body_bytes >> (8 * i));
  return bytes;
}

result<admin_frame_head> decode_admin_frame_head(const admin_frame_head_bytes& bytes,
                                                 std::uint32_t body_bytes_max) {
  const auto kind = static_cast<admin_frame_kind>(bytes[kind_at]);
  const auto code = static_cast<errc>(bytes[code_at]);
  const bool known = std::ranges::equal(magic, std::span(bytes).first<magic.size()>()) &&
                     kind >= admin_frame_kind::request && kind <= admin_frame_kind::failure &&
                     code >= errc::invalid_argument && code <= errc_last;
  if (!known)
    return fail(errc::protocol, "the other side of the socket speaks otherwise; restart it after an upgrade");
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < sizeof size; ++i)
    size |= std::to_integer<std::uint32_t>(bytes[size_at + i]) << (8 * i);
  if (size > body_bytes_max)
    return fail(errc::limit_exceeded, "a message larger than message_bytes_max of the admin socket");
  return admin_frame_head{kind, code, size};
}

}  // namespace firstlight
