#include "storage/erofs/directory_blocks.hpp"

#include <array>
#include <cstring>

namespace firstlight::erofs {
namespace {

std::uint32_t bytes_of(std::string_view name) {
  return static_cast<std::uint32_t>(sizeof(directory_entry) + name.size());
}

/// The position of the first entry of the next block.
std::uint64_t end_of_block(directory_listing listing, std::uint64_t first) {
  auto end = first;
  for (std::size_t used = 0; end < listing.size(); ++end) {
    used += bytes_of(listing[end].name);
    if (used > block_bytes) break;
  }
  return end;
}

}  // namespace

void list_directory(const toc_view& toc, inode_number number, const inode_view& directory,
                    std::vector<entry_view>& into) {
  const std::array<entry_view, 2> dots{{{".", number}, {"..", toc.parent(directory)}}};
  const auto* dot = dots.begin();
  for (std::uint32_t position = 0; position < toc.entry_count(directory); ++position) {
    const auto entry = toc.entry(directory, position);
    while (dot != dots.end() && dot->name < entry.name) into.push_back(*dot++);
    into.push_back(entry);
  }
  into.insert(into.end(), dot, dots.end());
}

directory_shape shape_of(directory_listing listing) {
  directory_shape shape;
  for (std::uint64_t position = 0; position < listing.size(); ++position) {
    const auto bytes = bytes_of(listing[position].name);
    if (shape.last_bytes + bytes > block_bytes) {
      ++shape.full_blocks;
      shape.last_bytes = 0;
      shape.last_first = position;
    }
    shape.last_bytes += bytes;
  }
  return shape;
}

std::uint64_t fill_directory_block(directory_listing listing, const directory_shape& shape,
                                   std::uint64_t first, std::span<const inode_place> places,
                                   std::span<std::byte> block) {
  const auto end = first == shape.last_first ? listing.size() : end_of_block(listing, first);
  auto* at = block.data();
  auto name_offset = static_cast<std::size_t>(end - first) * sizeof(directory_entry);
  for (auto position = first; position < end; ++position) {
    const auto& from = listing[position];
    const auto& place = places[from.inode - 1];
    directory_entry entry;
    entry.inode = place.slot;
    entry.name_offset = static_cast<std::uint16_t>(name_offset);
    entry.type = place.type;
    std::memcpy(at, &entry, sizeof entry);
    at += sizeof entry;
    std::memcpy(block.data() + name_offset, from.name.data(), from.name.size());
    name_offset += from.name.size();
  }
  return end;
}

}  // namespace firstlight::erofs
