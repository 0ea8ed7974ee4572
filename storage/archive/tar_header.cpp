#include "storage/archive/tar_header.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace firstlight {
namespace {

struct field {
  std::size_t offset;
  std::size_t length;
};
constexpr field name_field{0, 100}, mode_field{100, 8}, uid_field{108, 8}, gid_field{116, 8},
    size_field{124, 12}, modified_field{136, 12}, checksum_field{148, 8}, link_field{157, 100},
    major_field{329, 8}, minor_field{337, 8}, prefix_field{345, 155}, star_prefix_field{345, 131},
    gnu_access_field{345, 12}, gnu_change_field{357, 12};
constexpr std::size_t type_offset = 156;

std::string text(const tar_block& block, field at) {
  const char* begin = block.data() + at.offset;
  return {begin, std::find(begin, begin + at.length, '\0')};
}

result<std::int64_t> base_256(const char* field, std::size_t length) {
  // Two's complement over the whole field; the topmost bit only says that it is binary.
  const bool negative = (static_cast<unsigned char>(field[0]) & 0x40U) != 0;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < length; ++i) {
    auto byte = static_cast<unsigned char>(field[i]);
    if (negative) byte = static_cast<unsigned char>(~byte);
    if (i == 0) byte &= 0x7fU;
    if ((value >> 56U) != 0) return fail(errc::corrupt, "tar: a number of more than 64 bits");
    value = value << 8U | byte;
  }
  if ((value >> 63U) != 0) return fail(errc::corrupt, "tar: a number of more than 63 bits");
  return negative ? static_cast<std::int64_t>(~value) : static_cast<std::int64_t>(value);
}

result<void> check_sum(const tar_block& block) {
  auto stored = parse_tar_number(block.data() + checksum_field.offset, checksum_field.length);
  if (!stored) return fail(errc::corrupt, "tar: a header's checksum is no number");
  // Some old tars add the bytes up as signed.
  std::int64_t unsigned_sum = 0;
  std::int64_t signed_sum = 0;
  for (std::size_t i = 0; i < tar_block_bytes; ++i) {
    const bool inside = i >= checksum_field.offset && i < checksum_field.offset + checksum_field.length;
    const char c = inside ? ' ' : block[i];
    unsigned_sum += static_cast<unsigned char>(c);
    signed_sum += static_cast<signed char>(c);
  }
  if (*stored != unsigned_sum && *stored != signed_sum)
    return fail(errc::corrupt, "tar: wrong header checksum");
  return {};
}

tar_format detect(const tar_block& block) {
  const std::string_view magic(block.data() + 257, 8);
  if (magic == std::string_view("ustar  \0", 8)) return tar_format::gnu;
  if (magic != std::string_view("ustar\0"
                                "00",
                                8))
    return tar_format::v7;
  return std::string_view(block.data() + 508, 4) == std::string_view("tar\0", 4) ? tar_format::star
                                                                                 : tar_format::ustar;
}

std::string prefix(const tar_block& block, tar_format format) {
  if (format == tar_format::ustar) return text(block, prefix_field);
  if (format == tar_format::star) return text(block, star_prefix_field);
  if (format != tar_format::gnu) return {};
  // Writers of before Go 1.8 put ustar's prefix into GNU headers, where the access times belong.
  const bool times = parse_tar_number(block.data() + gnu_access_field.offset, gnu_access_field.length) &&
                     parse_tar_number(block.data() + gnu_change_field.offset, gnu_change_field.length);
  if (times) return {};
  std::string candidate = text(block, prefix_field);
  const bool ascii = std::all_of(candidate.begin(), candidate.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return ascii ? candidate : std::string{};
}

}  // namespace

bool is_zero(const tar_block& block) {
  return std::all_of(block.begin(), block.end(), [](char c) { return c == 0; });
}

result<std::int64_t> parse_tar_number(const char* field, std::size_t length) {
  if ((static_cast<unsigned char>(field[0]) & 0x80U) != 0) return base_256(field, length);
  const auto blank = [](char c) { return c == ' ' || c == 0; };
  const char* end = field + length;
  const char* at = std::find_if_not(field, end, blank);
  std::int64_t value = 0;
  for (; at != end && *at != 0; ++at) {
    if (*at == ' ' && std::all_of(at, end, blank)) break;
    if (*at < '0' || *at > '7') return fail(errc::corrupt, "tar: a number field holds no octal number");
    value = value * 8 + (*at - '0');  // 12 octal digits fit
  }
  return value;
}

result<tar_header> parse_tar_header(const tar_block& block) {
  if (auto sum = check_sum(block); !sum) return tl::unexpected(sum.error());
  tar_header header;
  header.format = detect(block);
  header.type = block[type_offset];
  header.name = text(block, name_field);
  header.link_name = text(block, link_field);
  struct number {
    field at;
    std::int64_t& into;
  };
  const number basic[] = {{mode_field, header.mode},
                          {uid_field, header.uid},
                          {gid_field, header.gid},
                          {size_field, header.size},
                          {modified_field, header.modified}};
  const number device[] = {{major_field, header.device_major}, {minor_field, header.device_minor}};
  const auto read = [&block](const number& n) -> result<void> {
    auto value = parse_tar_number(block.data() + n.at.offset, n.at.length);
    if (!value) return tl::unexpected(value.error());
    n.into = *value;
    return {};
  };
  for (const number& n : basic) {
    if (auto ok = read(n); !ok) return tl::unexpected(ok.error());
  }
  if (header.format == tar_format::v7) return header;
  for (const number& n : device) {
    if (auto ok = read(n); !ok) return tl::unexpected(ok.error());
  }
  if (auto front = prefix(block, header.format); !front.empty()) header.name = front + "/" + header.name;
  return header;
}

}  // namespace firstlight
