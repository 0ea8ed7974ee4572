#include "model/base64.hpp"

#include <array>
#include <cstdint>

namespace firstlight {
namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 64;

constexpr std::array<std::uint8_t, 256> digits = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(no_digit);
  for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<unsigned char>(alphabet[i])] = i;
  return values;
}();

}  // namespace

std::string base64_encode(std::string_view text) {
  std::string encoded;
  encoded.reserve((text.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8U | (i + j < text.size() ? static_cast<unsigned char>(text[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      encoded += i + j > text.size() ? '=' : alphabet[group >> (18U - 6U * j) & 63U];
  }
  return encoded;
}

result<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return fail(errc::corrupt, "not base64");
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string decoded;
  decoded.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padded = i + j >= text.size() - padding;
      const auto digit = padded ? std::uint8_t{0} : digits[static_cast<unsigned char>(text[i + j])];
      if (digit == no_digit) return fail(errc::corrupt, "not base64");
      group = group << 6U | digit;
    }
    for (std::size_t j = 0; j < 3; ++j) decoded += static_cast<char>(group >> (16U - 8U * j) & 0xffU);
  }
  decoded.resize(decoded.size() - padding);
  return decoded;
}

}  // namespace firstlight
