#include "test/harness/tar_builder.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace firstlight {
namespace {

constexpr std::size_t block = 512;

void put(std::string& into, std::size_t offset, const std::string& text, std::size_t length_max) {
  if (text.size() > length_max) throw std::runtime_error("a tar field too long");
  into.replace(offset, text.size(), text);
}

void put_octal(std::string& into, std::size_t offset, std::uint64_t value, int length) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", length - 1, static_cast<unsigned long long>(value));
  put(into, offset, text, static_cast<std::size_t>(length));
}

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + block - 1) / block * block, '\0');
  return bytes;
}

std::string record(const std::string& key, const std::string& value) {
  const std::string body = " " + key + "=" + value + "\n";
  std::size_t length = body.size();
  while (std::to_string(length).size() + body.size() != length)
    length = std::to_string(length).size() + body.size();
  return std::to_string(length) + body;
}

}  // namespace

tar_builder& tar_builder::header(const raw_header& fields) {
  std::string h(block, '\0');
  put(h, 0, fields.name, 100);
  put_octal(h, 100, fields.mode, 8);
  put_octal(h, 108, fields.uid, 8);
  put_octal(h, 116, fields.gid, 8);
  put_octal(h, 124, fields.size, 12);
  put_octal(h, 136, static_cast<std::uint64_t>(fields.modified), 12);
  h[156] = fields.type;
  put(h, 157, fields.link_name, 100);
  put(h, 257, fields.gnu ? std::string("ustar  \0", 8) : std::string("ustar\00000", 8), 8);
  put_octal(h, 329, fields.device_major, 8);
  put_octal(h, 337, fields.device_minor, 8);
  put(h, 345, fields.at_345, 155);
  std::fill_n(h.begin() + 148, 8, ' ');
  std::uint64_t sum = 0;
  for (const char c : h) sum += static_cast<unsigned char>(c);
  put_octal(h, 148, sum, 7);
  bytes_ += h;
  return *this;
}

tar_builder& tar_builder::raw(const std::string& bytes) {
  bytes_ += padded(bytes);
  return *this;
}

tar_builder& tar_builder::file(std::string name, const std::string& text, std::uint32_t mode) {
  return header({.name = std::move(name), .mode = mode, .size = text.size(), .link_name = {}, .at_345 = {}})
      .raw(text);
}

tar_builder& tar_builder::folder(std::string name, std::uint32_t mode, std::int64_t modified) {
  return header({.name = std::move(name),
                 .type = '5',
                 .mode = mode,
                 .modified = modified,
                 .link_name = {},
                 .at_345 = {}});
}

tar_builder& tar_builder::symlink(std::string name, std::string target) {
  return header(
      {.name = std::move(name), .type = '2', .mode = 0777, .link_name = std::move(target), .at_345 = {}});
}

tar_builder& tar_builder::hard_link(std::string name, std::string target) {
  return header({.name = std::move(name), .type = '1', .link_name = std::move(target), .at_345 = {}});
}

tar_builder& tar_builder::device(std::string name, char type, std::uint32_t major, std::uint32_t minor) {
  return header({.name = std::move(name),
                 .type = type,
                 .mode = 0600,
                 .link_name = {},
                 .device_major = major,
                 .device_minor = minor,
                 .at_345 = {}});
}

tar_builder& tar_builder::pax(const std::vector<std::pair<std::string, std::string>>& records) {
  std::string all;
  for (const auto& [key, value] : records) all += record(key, value);
  return header({.name = "PaxHeaders/x", .type = 'x', .size = all.size(), .link_name = {}, .at_345 = {}})
      .raw(all);
}

tar_builder& tar_builder::gnu_long(char type, const std::string& text) {
  return header({.name = "././@LongLink",
                 .type = type,
                 .size = text.size() + 1,
                 .link_name = {},
                 .gnu = true,
                 .at_345 = {}})
      .raw(text + '\0');
}

std::string tar_builder::take() {
  bytes_.append(2 * block, '\0');
  return std::exchange(bytes_, {});
}

}  // namespace firstlight
