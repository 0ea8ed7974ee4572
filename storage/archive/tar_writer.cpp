#include "storage/archive/tar_writer.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "storage/archive/tar_header.hpp"

namespace firstlight {
namespace {

// Fields of a ustar header: offset and length.
struct field {
  std::size_t offset;
  std::size_t bytes;
};
constexpr field name_field{0, 100};
constexpr field mode_field{100, 8};
constexpr field uid_field{108, 8};
constexpr field gid_field{116, 8};
constexpr field size_field{124, 12};
constexpr field time_field{136, 12};
constexpr field checksum_field{148, 8};
constexpr std::size_t type_at = 156;
constexpr field link_field{157, 100};
constexpr field magic_field{257, 8};  // with the version
constexpr field major_field{329, 8};
constexpr field minor_field{337, 8};

constexpr char records_type = 'x';

char type_of(layer_entry_type type) {
  switch (type) {
    case layer_entry_type::regular:
      return '0';
    case layer_entry_type::hard_link:
      return '1';
    case layer_entry_type::symlink:
      return '2';
    case layer_entry_type::character_device:
      return '3';
    case layer_entry_type::block_device:
      return '4';
    case layer_entry_type::directory:
      return '5';
    case layer_entry_type::fifo:
      return '6';
  }
  return '0';
}

/// As tar has it: a folder's ends with a slash.
std::string name_of(const layer_entry& entry) {
  const bool folder = entry.type == layer_entry_type::directory && !entry.path.ends_with('/');
  return folder ? entry.path + "/" : entry.path;
}

bool fits(std::uint64_t number, field into) {
  return number < std::uint64_t{1} << (3 * (into.bytes - 1));
}

void put_number(tar_block& block, field into, std::uint64_t number) {
  if (!fits(number, into)) number = 0;  // a record has it
  for (auto at = into.offset + into.bytes - 1; at-- > into.offset; number >>= 3U)
    block.at(at) = static_cast<char>('0' + (number & 7U));
}

void put_text(tar_block& block, field into, std::string_view text) {
  std::copy_n(text.begin(), std::min(text.size(), into.bytes),
              block.begin() + static_cast<long>(into.offset));
}

void put_checksum(tar_block& block) {
  put_text(block, checksum_field, "        ");
  const auto sum = std::accumulate(block.begin(), block.end(), 0U, [](unsigned total, char byte) {
    return total + static_cast<unsigned char>(byte);
  });
  put_number(block, {checksum_field.offset, checksum_field.bytes - 1}, sum);
  block.at(checksum_field.offset + checksum_field.bytes - 2) = '\0';
}

/// "LENGTH KEYWORD=VALUE\n", where the length counts its own digits too.
std::string record(std::string_view keyword, std::string_view value) {
  const auto rest = keyword.size() + value.size() + 3;
  auto length = rest + std::to_string(rest).size();
  length = rest + std::to_string(length).size();
  return std::to_string(length).append(" ").append(keyword).append("=").append(value).append("\n");
}

std::string time_text(const timestamp& time) {
  // Of a time before 1970 the fraction counts on from the second below it; the text counts from 0.
  const bool negative = time.seconds < 0 && time.nanoseconds != 0;
  const auto seconds = negative ? time.seconds + 1 : time.seconds;
  auto text = (negative && seconds == 0 ? "-" : "") + std::to_string(seconds);
  if (time.nanoseconds == 0) return text;
  const auto digits = std::to_string(negative ? 1'000'000'000 - time.nanoseconds : time.nanoseconds);
  return text + "." + std::string(9 - digits.size(), '0') + digits;
}

std::string records_of(const layer_entry& entry, std::uint64_t size) {
  std::string all;
  if (const auto name = name_of(entry); name.size() > name_field.bytes) all += record("path", name);
  if (entry.link_target.size() > link_field.bytes) all += record("linkpath", entry.link_target);
  if (!fits(size, size_field)) all += record("size", std::to_string(size));
  if (!fits(entry.uid, uid_field)) all += record("uid", std::to_string(entry.uid));
  if (!fits(entry.gid, gid_field)) all += record("gid", std::to_string(entry.gid));
  const bool plain_time = entry.modified.nanoseconds == 0 && entry.modified.seconds >= 0 &&
                          fits(static_cast<std::uint64_t>(entry.modified.seconds), time_field);
  if (!plain_time) all += record("mtime", time_text(entry.modified));
  for (const auto& [name, value] : entry.xattrs) all += record("SCHILY.xattr." + name, value);
  return all;
}

std::uint64_t padding_behind(std::uint64_t bytes) {
  return (tar_block_bytes - bytes % tar_block_bytes) % tar_block_bytes;
}

tar_block header_of(const layer_entry& entry, char type, std::uint64_t size) {
  tar_block block{};
  put_text(block, name_field, name_of(entry));
  put_number(block, mode_field, entry.permissions);
  put_number(block, uid_field, entry.uid);
  put_number(block, gid_field, entry.gid);
  put_number(block, size_field, size);
  put_number(block, time_field,
             entry.modified.seconds > 0 ? static_cast<std::uint64_t>(entry.modified.seconds) : 0);
  block.at(type_at) = type;
  put_text(block, link_field, entry.link_target);
  put_text(block, magic_field, std::string_view("ustar\00000", 8));
  put_number(block, major_field, entry.device_major);
  put_number(block, minor_field, entry.device_minor);
  put_checksum(block);
  return block;
}

std::string_view text_of(const tar_block& block) {
  return {block.data(), block.size()};
}

}  // namespace

result<void> tar_writer::put(std::string_view bytes) {
  return sink_(std::as_bytes(std::span(bytes)));
}

result<void> tar_writer::begin(const layer_entry& entry, std::uint64_t size) {
  if (const auto records = records_of(entry, size); !records.empty()) {
    layer_entry before;
    before.path = "PaxHeaders";
    before.permissions = 0644;
    auto written = put(text_of(header_of(before, records_type, records.size())));
    if (written) written = put(records);
    if (written) written = put(std::string(padding_behind(records.size()), '\0'));
    if (!written) return written;
  }
  left_ = size;
  padding_ = padding_behind(size);
  return put(text_of(header_of(entry, type_of(entry.type), size)));
}

result<void> tar_writer::data(bytes_view bytes) {
  if (bytes.size() > left_) return fail(errc::invalid_argument, "more bytes than the entry's size");
  left_ -= bytes.size();
  return sink_(bytes);
}

result<void> tar_writer::end_entry() {
  if (left_ != 0) return fail(errc::invalid_argument, "fewer bytes than the entry's size");
  return put(std::string(padding_, '\0'));
}

result<void> tar_writer::end() {
  return put(std::string(2 * tar_block_bytes, '\0'));
}

}  // namespace firstlight
