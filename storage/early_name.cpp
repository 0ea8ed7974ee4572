#include "storage/early_name.hpp"

#include <algorithm>
#include <cstring>

namespace firstlight {
namespace {

constexpr char folder_character = '@';
constexpr char first_letter = 'g';
constexpr std::size_t period = 16;              // letters of mark and number
constexpr std::size_t enough_real_digits = 24;  // of 64: 96 bits

constexpr bool is_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
constexpr bool is_letter(char c) {
  return c >= first_letter && c < first_letter + 16;
}
constexpr unsigned digit(char c) {
  return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10);
}

}  // namespace

std::uint32_t mark_of(const toc_id& id) {
  std::uint32_t mark = 0;
  for (std::size_t i = 0; i < sizeof mark; ++i)
    mark = mark << 8U | std::to_integer<std::uint32_t>(id.value.bytes.at(i));
  return mark >> 2U;
}

std::array<char, content_name::bytes> early_name(const early_content& content) {
  const auto both = std::uint64_t{content.toc_mark} << 32U | content.content;
  std::array<char, period> letters{};
  for (std::size_t i = 0; i < period; ++i)
    letters[i] = static_cast<char>(first_letter + static_cast<char>(both >> (4 * (period - 1 - i)) & 0xfU));
  std::array<char, content_name::bytes> name{folder_character, folder_character, '/'};
  constexpr std::size_t begin = 3;
  constexpr auto whole = (name.size() - begin) / period;
  for (std::size_t i = 0; i < whole; ++i)  // lengths that are known make this one instruction each
    std::memcpy(name.data() + begin + i * period, letters.data(), period);
  std::memcpy(name.data() + begin + whole * period, letters.data(), name.size() - begin - whole * period);
  return name;
}

bool looked_up_name::valid() const {
  return folder.size() == 2 && file.size() == content_name::bytes - 3 &&
         std::all_of(folder.begin(), folder.end(),
                     [](char c) { return is_digit(c) || c == folder_character; }) &&
         std::all_of(file.begin(), file.end(), [](char c) { return is_digit(c) || is_letter(c); });
}

std::optional<early_content> looked_up_name::early() const {
  if (!valid()) return std::nullopt;
  std::array<std::optional<unsigned>, period> nibbles;
  for (std::size_t i = 0; i < file.size(); ++i) {
    if (!is_letter(file[i])) continue;
    const auto said = static_cast<unsigned>(file[i] - first_letter);
    auto& known = nibbles.at(i % period);
    if (known && *known != said) return std::nullopt;
    known = said;
  }
  std::uint64_t both = 0;
  for (const auto& nibble : nibbles) {
    if (!nibble) return std::nullopt;
    both = both << 4U | *nibble;
  }
  return early_content{static_cast<std::uint32_t>(both >> 32U), static_cast<std::uint32_t>(both)};
}

std::optional<content_id> looked_up_name::id() const {
  if (!valid() || !std::all_of(folder.begin(), folder.end(), is_digit) ||
      !std::all_of(file.begin(), file.end(), is_digit))
    return std::nullopt;
  const auto parsed = parse_hex_digest(std::string(folder).append(file));
  return parsed ? std::optional(content_id{*parsed}) : std::nullopt;
}

bool looked_up_name::could_be(const content_id& id) const {
  if (!valid()) return false;
  std::size_t real = 0;
  const auto digits = id.root.hex_digits();
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const char c = i < 2 ? folder[i] : file[i - 2];
    if (!is_digit(c)) continue;
    if (c != digits.at(i)) return false;
    ++real;
  }
  return real >= enough_real_digits;
}

}  // namespace firstlight
