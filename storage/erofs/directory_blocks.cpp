#include "storage/erofs/directory_blocks.hpp"

#include <cstring>

namespace firstlight::erofs {
namespace {

/// How many entries of the directory come before `name`.
std::uint64_t entries_before(const toc_view& toc, const inode_view& directory, std::string_view name) {
  std::uint32_t begin = 0;
  std::uint32_t end = toc.entry_count(directory);
  while (begin < end) {
    const auto middle = begin + (end - begin) / 2;
    if (toc.entry(directory, middle).name < name)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

std::uint32_t bytes_of(std::string_view name) {
  return static_cast<std::uint32_t>(sizeof(directory_entry) + name.size());
}

/// The position of the first entry of the next block.
std::uint64_t end_of_block(const directory_listing& listing, std::uint64_t first) {
  auto end = first;
  for (std::size_t used = 0; end < listing.size(); ++end) {
    used += bytes_of(listing.at(end).name);
    if (used > block_bytes) break;
  }
  return end;
}

}  // namespace

directory_listing::directory_listing(const toc_view& toc, inode_number number, const inode_view& inode)
    : toc_(toc),
      inode_(inode),
      self_(number),
      dot_(entries_before(toc, inode, ".")),
      dot_dot_(entries_before(toc, inode, "..") + 1) {}

std::uint64_t directory_listing::size() const {
  return std::uint64_t{toc_.entry_count(inode_)} + 2;
}

entry_view directory_listing::at(std::uint64_t position) const {
  if (position == dot_) return {".", self_};
  if (position == dot_dot_) return {"..", toc_.parent(inode_)};
  const auto dots_before = (position > dot_ ? 1U : 0U) + (position > dot_dot_ ? 1U : 0U);
  return toc_.entry(inode_, static_cast<std::uint32_t>(position - dots_before));
}

directory_shape shape_of(const directory_listing& listing) {
  directory_shape shape;
  for (std::uint64_t position = 0; position < listing.size(); ++position) {
    const auto bytes = bytes_of(listing.at(position).name);
    if (shape.last_bytes + bytes > block_bytes) {
      ++shape.full_blocks;
      shape.last_bytes = 0;
      shape.last_first = position;
    }
    shape.last_bytes += bytes;
  }
  return shape;
}

std::uint64_t fill_directory_block(const directory_listing& listing, const directory_shape& shape,
                                   std::uint64_t first, std::span<const inode_place> places,
                                   std::span<std::byte> block) {
  const auto end = first == shape.last_first ? listing.size() : end_of_block(listing, first);
  auto* at = block.data();
  auto name_offset = static_cast<std::size_t>(end - first) * sizeof(directory_entry);
  for (auto position = first; position < end; ++position) {
    const auto from = listing.at(position);
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
