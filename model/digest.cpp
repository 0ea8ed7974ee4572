#include "model/digest.hpp"

#include <algorithm>

namespace firstlight {
namespace {

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::array<char, 64> digest::hex_digits() const {
  static constexpr auto pairs = [] {
    constexpr char digits[] = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> all{};
    for (unsigned value = 0; value < all.size(); ++value)
      all[value] = {digits[value >> 4U], digits[value & 15U]};
    return all;
  }();
  std::array<char, 64> text;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    std::memcpy(text.data() + 2 * i, pairs[std::to_integer<std::size_t>(bytes[i])].data(), 2);
  return text;
}

std::string digest::hex() const {
  const auto digits = hex_digits();
  return {digits.data(), digits.size()};
}

std::string digest::oci() const {
  return "sha256:" + hex();
}

result<digest> parse_hex_digest(std::string_view text) {
  digest value;
  if (text.size() != value.bytes.size() * 2)
    return fail(errc::invalid_argument,
                "a SHA-256 digest has 64 hexadecimal digits, not " + std::string(text));
  for (std::size_t i = 0; i < value.bytes.size(); ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return fail(errc::invalid_argument, "not a hexadecimal digest: " + std::string(text));
    value.bytes[i] = static_cast<std::byte>(high * 16 + low);
  }
  return value;
}

result<digest> parse_oci_digest(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos)
    return fail(errc::invalid_argument, "a digest reads sha256:<64 digits>, not " + std::string(text));
  if (text.substr(0, colon) != "sha256")
    return fail(errc::unsupported, "only sha256 digests are supported, not " + std::string(text));
  return parse_hex_digest(text.substr(colon + 1));
}

result<digest> digest_from_bytes(bytes_view raw) {
  digest value;
  if (raw.size() != value.bytes.size())
    return fail(errc::corrupt, "a digest has 32 bytes, not " + std::to_string(raw.size()));
  std::copy(raw.begin(), raw.end(), value.bytes.begin());
  return value;
}

}  // namespace firstlight
