#include "storage/content_records.hpp"

#include <cstring>

namespace firstlight {
namespace {

constexpr table store_table{"store"};
constexpr table complete_table{"content"};
constexpr table partial_table{"partial"};
constexpr table leaves_table{"leaves"};

std::string little_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (auto& byte : bytes) {
    byte = static_cast<char>(value & 0xffU);
    value >>= 8U;
  }
  return bytes;
}

std::uint64_t read_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return value;
}

std::optional<content_id> read_id(std::string_view key) {
  const auto value = digest_from_bytes(std::as_bytes(std::span(key)));
  if (!value) return std::nullopt;
  return content_id{*value};
}

std::string write_partial(const content_records::partial_record& record) {
  auto bytes = little_endian(record.size);
  for (const auto word : record.blocks.words()) bytes += little_endian(word);
  return bytes;
}

std::optional<content_records::partial_record> read_partial(std::string_view bytes, block_geometry geometry) {
  if (bytes.size() < 8 || bytes.size() % 8 != 0) return std::nullopt;
  const auto size = read_little_endian(bytes);
  const auto blocks = geometry.count(size);
  if ((std::uint64_t{blocks} + 63) / 64 != bytes.size() / 8 - 1) return std::nullopt;
  std::vector<std::uint64_t> words;
  for (std::size_t at = 8; at < bytes.size(); at += 8) words.push_back(read_little_endian(bytes.substr(at)));
  return content_records::partial_record{size, block_set::from_words(blocks, words)};
}

}  // namespace

result<void> content_records::check_geometry() {
  const auto mine = little_endian(geometry_.block_bytes);
  const auto stored = metadata_.get(store_table, "block_bytes");
  if (!stored) return tl::make_unexpected(stored.error());
  if (!*stored) return metadata_.put(store_table, "block_bytes", mine, durability::synced);
  if (**stored != mine)
    return fail(errc::invalid_argument,
                "the content store was made with another block size; it cannot be changed");
  return {};
}

result<content_records::loaded> content_records::load() const {
  loaded all;
  auto scanned = metadata_.scan(complete_table, {}, [&](std::string_view key, std::string_view value) {
    if (const auto id = read_id(key); id && value.size() == 8)
      all.complete.emplace(*id, read_little_endian(value));
    return scan_step::next;
  });
  if (!scanned) return tl::make_unexpected(scanned.error());
  scanned = metadata_.scan(partial_table, {}, [&](std::string_view key, std::string_view value) {
    const auto id = read_id(key);
    if (auto record = read_partial(value, geometry_); id && record)
      all.partial.emplace(*id, std::move(*record));
    return scan_step::next;
  });
  if (!scanned) return tl::make_unexpected(scanned.error());
  return all;
}

result<void> content_records::commit(const changes& all) {
  write_batch batch;
  for (const auto& content : all.complete) {
    batch.put(complete_table, as_key(content.id.root), little_endian(content.size));
    batch.erase(partial_table, as_key(content.id.root));
  }
  for (const auto& [id, record] : all.partial)
    batch.put(partial_table, as_key(id.root), write_partial(record));
  return batch.empty() ? metadata_.sync() : metadata_.write(batch, durability::synced);
}

result<void> content_records::erase(const content_id& id) {
  write_batch batch;
  for (const auto& where : {complete_table, partial_table, leaves_table}) batch.erase(where, as_key(id.root));
  return metadata_.write(batch);
}

result<void> content_records::put_leaves(const content_id& id, std::span<const digest> leaves) {
  const std::string_view bytes(reinterpret_cast<const char*>(leaves.data()), leaves.size_bytes());
  return metadata_.put(leaves_table, as_key(id.root), bytes);
}

result<std::optional<std::vector<digest>>> content_records::leaves(const content_id& id,
                                                                   std::uint32_t count) const {
  const auto stored = metadata_.get(leaves_table, as_key(id.root));
  if (!stored) return tl::make_unexpected(stored.error());
  if (!*stored || (*stored)->size() != std::size_t{count} * sizeof(digest)) return std::nullopt;
  std::vector<digest> hashes(count);
  std::memcpy(hashes.data(), (*stored)->data(), (*stored)->size());
  return hashes;
}

}  // namespace firstlight
