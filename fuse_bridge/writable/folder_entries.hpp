#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "fuse_bridge/writable/node_number.hpp"

namespace firstlight {

/// Where a name stands in listings of its folder; readers go on from there. "." and ".." come first, then the
/// image's names at their positions in the TOC, then all others, see folder_entries. A place belongs to the
/// name, whatever has it: so a reader meets a name that stays once, while others come and go.
using listing_place = std::uint64_t;
inline constexpr listing_place place_of_self = 0;
inline constexpr listing_place place_of_parent = 1;
inline constexpr listing_place first_image_place = 2;

/// An entry of a folder as the mount shows it.
struct listed_entry {
  std::string_view name;  ///< until the folder changes
  node_number number = 0;
  listing_place place = 0;
};

/// What the read-write layer has in one folder, by name and by place. A name that the image does not have
/// there stands where a hash of it says, and if another one is there, at the next free place. So places are
/// the same in the next process, but for those of names that meet; and a reader who makes names comes to an
/// end. They fit into 31 bits, for programs of 32 bits, but in folders of more than a billion names.
class folder_entries {
 public:
  /// In place of a number: nothing is there.
  static constexpr node_number whiteout = 0;

  struct own_entry {
    node_number number = whiteout;
    listing_place place = 0;  ///< 0: that of the image's name, or a whiteout's, which has none
  };
  using by_name = std::map<std::string, own_entry, std::less<>>;

  folder_entries() = default;
  folder_entries(folder_entries&&) = default;
  folder_entries& operator=(folder_entries&&) = default;
  folder_entries(const folder_entries&) = delete;
  folder_entries& operator=(const folder_entries&) = delete;

  [[nodiscard]] bool empty() const { return by_name_.empty(); }
  [[nodiscard]] bool contains(std::string_view name) const { return by_name_.find(name) != by_name_.end(); }
  /// `whiteout` counts.
  [[nodiscard]] std::optional<node_number> find(std::string_view name) const;
  /// Sorted by name.
  [[nodiscard]] by_name::const_iterator begin() const { return by_name_.begin(); }
  [[nodiscard]] by_name::const_iterator end() const { return by_name_.end(); }
  /// Of the names that the image does not have: the first one at this place or behind it.
  [[nodiscard]] std::optional<listed_entry> next(listing_place from) const;

  /// The name has a place in the image, whatever shows under it.
  void put_at_image_place(const std::string& name, node_number number);
  /// The image has `image_names` names in this folder, and not this one.
  void put(const std::string& name, node_number number, std::uint32_t image_names);
  void erase(std::string_view name);

 private:
  void leave_place(own_entry& of);

  by_name by_name_;
  std::map<listing_place, by_name::const_iterator> by_place_;
};

}  // namespace firstlight
