#include "storage/archive/sparse_map.hpp"

#include "storage/archive/pax_records.hpp"

namespace firstlight {
namespace {

constexpr std::size_t header_regions_offset = 386, header_regions = 4, header_extended_offset = 482,
                      real_size_offset = 483, extension_regions = 21, extension_extended_offset = 504,
                      region_bytes = 24, number_bytes = 12;

result<void> add(sparse_map& map, std::int64_t offset, std::int64_t length, std::uint32_t regions_max) {
  if (offset < 0 || length < 0) return fail(errc::corrupt, "tar: a negative number in a sparse map");
  if (map.size() >= regions_max) return fail(errc::limit_exceeded, "tar: sparse_regions_max");
  map.push_back({static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length)});
  return {};
}

result<void> add_gnu(sparse_map& map, const char* at, std::size_t count, std::uint32_t regions_max) {
  for (std::size_t i = 0; i < count && at[i * region_bytes] != 0; ++i) {
    auto offset = parse_tar_number(at + i * region_bytes, number_bytes);
    auto length = parse_tar_number(at + i * region_bytes + number_bytes, number_bytes);
    if (!offset || !length) return fail(errc::corrupt, "tar: a malformed sparse map");
    if (auto ok = add(map, *offset, *length, regions_max); !ok) return ok;
  }
  return {};
}

// Takes decimal lines out of a stream of whole blocks.
class line_reader {
 public:
  line_reader(byte_source& data, std::uint64_t& consumed) : data_(data), consumed_(consumed) {}

  result<std::int64_t> number() {
    std::string line;
    while (true) {
      if (at_ == tar_block_bytes) {
        if (auto ok = read_block(data_, block_); !ok) return tl::unexpected(ok.error());
        consumed_ += tar_block_bytes;
        at_ = 0;
      }
      const char c = block_[at_++];
      if (c == '\n') return parse_decimal(line);
      if (line.size() >= 20) return fail(errc::corrupt, "tar: a malformed sparse map");
      line.push_back(c);
    }
  }

 private:
  byte_source& data_;
  std::uint64_t& consumed_;
  tar_block block_{};
  std::size_t at_ = tar_block_bytes;
};

}  // namespace

result<void> read_block(byte_source& source, tar_block& block) {
  std::size_t filled = 0;
  while (filled < block.size()) {
    auto got = source.read(std::as_writable_bytes(std::span(block)).subspan(filled));
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) return fail(errc::corrupt, "tar: ends in the middle of a header");
    filled += *got;
  }
  return {};
}

result<void> check_sparse_map(const sparse_map& map, std::uint64_t size) {
  std::uint64_t end = 0;
  for (const auto& [offset, length] : map) {
    if (offset < end || offset > size || length > size - offset) {
      return fail(errc::corrupt, "tar: a sparse map that does not fit its file");
    }
    end = offset + length;
  }
  return {};
}

result<sparse_map> parse_sparse_text(std::string_view text, std::uint32_t regions_max) {
  sparse_map map;
  std::vector<std::int64_t> pair;
  while (!text.empty()) {
    const auto comma = text.find(',');
    auto value = parse_decimal(text.substr(0, comma));
    if (!value) return tl::unexpected(value.error());
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    pair.push_back(*value);
    if (pair.size() < 2) continue;
    if (auto ok = add(map, pair[0], pair[1], regions_max); !ok) return tl::unexpected(ok.error());
    pair.clear();
  }
  if (!pair.empty()) return fail(errc::corrupt, "tar: a sparse map with an odd number");
  return map;
}

result<sparse_map> read_sparse_lines(byte_source& data, std::uint32_t regions_max, std::uint64_t& consumed) {
  line_reader lines(data, consumed);
  auto count = lines.number();
  if (!count) return tl::unexpected(count.error());
  if (*count < 0) return fail(errc::corrupt, "tar: a malformed sparse map");
  if (*count > regions_max) return fail(errc::limit_exceeded, "tar: sparse_regions_max");
  sparse_map map;
  for (std::int64_t i = 0; i < *count; ++i) {
    auto offset = lines.number();
    if (!offset) return tl::unexpected(offset.error());
    auto length = lines.number();
    if (!length) return tl::unexpected(length.error());
    if (auto ok = add(map, *offset, *length, regions_max); !ok) return tl::unexpected(ok.error());
  }
  return map;
}

result<gnu_sparse> read_gnu_sparse(const tar_block& header, byte_source& data, std::uint32_t regions_max) {
  gnu_sparse sparse;
  auto size = parse_tar_number(header.data() + real_size_offset, number_bytes);
  if (!size || *size < 0) return fail(errc::corrupt, "tar: a sparse file of no size");
  sparse.size = static_cast<std::uint64_t>(*size);
  if (auto ok = add_gnu(sparse.map, header.data() + header_regions_offset, header_regions, regions_max);
      !ok) {
    return tl::unexpected(ok.error());
  }
  bool more = header[header_extended_offset] != 0;
  while (more) {
    tar_block extension{};
    if (auto ok = read_block(data, extension); !ok) return tl::unexpected(ok.error());
    if (auto ok = add_gnu(sparse.map, extension.data(), extension_regions, regions_max); !ok) {
      return tl::unexpected(ok.error());
    }
    more = extension[extension_extended_offset] != 0;
  }
  return sparse;
}

}  // namespace firstlight
