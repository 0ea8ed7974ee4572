#include "storage/toc_packing.hpp"

#include <limits>

#include "storage/sha256.hpp"
#include "storage/zstd.hpp"

namespace firstlight {

result<made_toc> make_toc(toc_header header, const image_tree& tree) {
  made_toc made;
  made.contents = encode_content_ids(tree);
  header.contents_digest = sha256(made.contents);
  auto encoded = encode_toc(header, tree);
  if (!encoded) return tl::make_unexpected(encoded.error());
  made.tree = std::move(*encoded);
  made.id = {sha256(made.tree)};
  return made;
}

result<void> check_contents(const toc_view& toc, bytes_view contents) {
  if (sha256(contents) != toc.contents_digest())
    return fail(errc::corrupt, "content ids are not those that the table of contents names");
  return {};
}

result<void> learn_checked(const toc_view& toc, shared_bytes contents) {
  if (auto checked = check_contents(toc, contents.bytes); !checked) return checked;
  return toc.learn_contents(std::move(contents));
}

bytes_view part_of(const toc_view& toc, toc_part part) {
  return part == toc_part::tree ? toc.message() : toc.content_ids();
}

namespace {

/// Chooses each column's form by what zstd makes of it.
result<void> choose_forms(bytes_view message, column_table& table) {
  constexpr int level = 6;
  const auto row_bytes = table.columns.size() * sizeof(std::uint32_t);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    std::vector<std::byte> column;
    column.reserve(table.rows * sizeof(std::uint32_t));
    for (std::size_t row = 0; row < table.rows; ++row) {
      const auto word = message.subspan(table.offset + row * row_bytes + c * sizeof(std::uint32_t), 4);
      column.insert(column.end(), word.begin(), word.end());
    }
    std::size_t smallest = std::numeric_limits<std::size_t>::max();
    for (std::uint8_t form = 0; form <= column_form_last; ++form) {
      const column_table alone{0, table.rows, {static_cast<column_form>(form)}};
      const auto packed = to_columns(column, {&alone, 1}).and_then([](const std::vector<std::byte>& bytes) {
        return compress(bytes, level);
      });
      if (!packed) return tl::make_unexpected(packed.error());
      if (packed->size() >= smallest) continue;
      smallest = packed->size();
      table.columns[c] = static_cast<column_form>(form);
    }
  }
  return {};
}

result<std::vector<column_table>> best_tables(const toc_view& toc) {
  auto tables = toc.tables();
  for (auto& table : tables)
    if (auto chosen = choose_forms(toc.message(), table); !chosen) return tl::make_unexpected(chosen.error());
  return tables;
}

/// In columns a TOC packs a third smaller; a patch is smallest between messages as they are.
result<toc_frame> pack_tree(const toc_view& toc, int level) {
  auto tables = best_tables(toc);
  if (!tables) return tl::make_unexpected(tables.error());
  const auto message = toc.message();
  auto packed = to_columns({message.begin(), message.end()}, *tables)
                    .and_then([&](const std::vector<std::byte>& bytes) { return compress(bytes, level); });
  if (!packed) return tl::make_unexpected(packed.error());
  toc_frame frame;
  frame.bytes = message.size();
  frame.frame = share(std::move(*packed));
  frame.tables = std::move(*tables);
  return frame;
}

}  // namespace

result<toc_frame> pack_toc(const toc_view& toc, toc_part part, const toc_view* base, int level) {
  if (part == toc_part::tree && base == nullptr) return pack_tree(toc, level);
  const auto bytes = part_of(toc, part);
  auto packed = base != nullptr ? compress_patch(bytes, part_of(*base, part), level) : compress(bytes, level);
  if (!packed) return tl::make_unexpected(packed.error());
  toc_frame frame;
  frame.part = part;
  frame.bytes = bytes.size();
  frame.frame = share(std::move(*packed));
  if (base != nullptr) frame.patch_base = toc_id{sha256(base->message())};
  return frame;
}

result<shared_bytes> unpack_toc(const toc_frame& frame, const toc_view* base, const segment_limits& limits) {
  if (frame.bytes > limits.toc_bytes_max)
    return fail(errc::limit_exceeded, "a table of contents of " + std::to_string(frame.bytes) + " bytes");
  if (frame.patch_base && base == nullptr)
    return fail(errc::not_ready, "the table of contents that a patch refers to is not here");
  auto bytes = frame.patch_base ? decompress_patch(frame.frame.bytes, part_of(*base, frame.part), frame.bytes)
                                : decompress(frame.frame.bytes, frame.bytes);
  if (bytes && !frame.tables.empty()) bytes = from_columns(std::move(*bytes), frame.tables);
  if (!bytes) return tl::make_unexpected(bytes.error());
  return share(std::move(*bytes));
}

}  // namespace firstlight
