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

/// Calls `visit(const entry_view&)` in the order of the format.
template <class Visit>
void for_each_entry(const toc_view& toc, inode_number number, const inode_view& directory, Visit visit) {
  const std::array<entry_view, 2> dots{{{".", number}, {"..", toc.parent(directory)}}};
  const auto* dot = dots.begin();
  for (std::uint32_t position = 0; position < toc.entry_count(directory); ++position) {
    const auto entry = toc.entry(directory, position);
    while (dot != dots.end() && dot->name < entry.name) visit(*dot++);
    visit(entry);
  }
  while (dot != dots.end()) visit(*dot++);
}

/// Of entries that come one after the other.
class shape_builder {
 public:
  void add(std::string_view name) {
    const auto bytes = bytes_of(name);
    if (shape_.last_bytes + bytes > block_bytes) {
      ++shape_.full_blocks;
      shape_.last_bytes = 0;
      shape_.last_first = added_;
    }
    shape_.last_bytes += bytes;
    ++added_;
  }
  [[nodiscard]] const directory_shape& shape() const { return shape_; }

 private:
  directory_shape shape_;
  std::uint64_t added_ = 0;
};

}  // namespace

void list_directory(const toc_view& toc, inode_number number, const inode_view& directory,
                    std::vector<entry_view>& into) {
  for_each_entry(toc, number, directory, [&](const entry_view& entry) { into.push_back(entry); });
}

directory_shape shape_of(directory_listing listing) {
  shape_builder builder;
  for (const auto& entry : listing) builder.add(entry.name);
  return builder.shape();
}

directory_shape shape_of(const toc_view& toc, const inode_view& directory) {
  shape_builder builder;
  constexpr inode_number unimportant = root_inode;  // names alone make the shape
  for_each_entry(toc, unimportant, directory, [&](const entry_view& entry) { builder.add(entry.name); });
  return builder.shape();
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
