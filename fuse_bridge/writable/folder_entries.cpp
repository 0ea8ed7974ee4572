#include "fuse_bridge/writable/folder_entries.hpp"

#include <cstring>
#include <span>

#include "storage/sha256.hpp"

namespace firstlight {
namespace {

/// Nobody can make names that all meet at one place.
std::uint32_t hash_of(std::string_view name) {
  constexpr std::uint32_t thirty_bits = (1U << 30U) - 1;
  const auto digest = sha256(std::as_bytes(std::span(name)));
  std::uint32_t start = 0;
  std::memcpy(&start, digest.bytes.data(), sizeof start);
  return start & thirty_bits;
}

}  // namespace

std::optional<node_number> folder_entries::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? std::nullopt : std::optional(found->second.number);
}

std::optional<listed_entry> folder_entries::next(listing_place from) const {
  const auto found = by_place_.lower_bound(from);
  if (found == by_place_.end()) return std::nullopt;
  const auto& [name, entry] = *found->second;
  return listed_entry{name, entry.number, entry.place};
}

void folder_entries::leave_place(own_entry& of) {
  by_place_.erase(of.place);  // 0 is nobody's
  of.place = 0;
}

void folder_entries::put_at_image_place(const std::string& name, node_number number) {
  auto& entry = by_name_[name];
  leave_place(entry);
  entry.number = number;
}

void folder_entries::put(const std::string& name, node_number number, std::uint32_t image_names) {
  const auto at = by_name_.try_emplace(name).first;
  auto& entry = at->second;
  entry.number = number;
  if (number == whiteout) return leave_place(entry);
  if (entry.place != 0) return;
  entry.place = first_image_place + image_names + hash_of(name);
  while (!by_place_.try_emplace(entry.place, at).second) ++entry.place;
}

void folder_entries::erase(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  leave_place(found->second);
  by_name_.erase(found);
}

}  // namespace firstlight
