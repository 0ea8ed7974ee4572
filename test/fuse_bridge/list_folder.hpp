#pragma once
#include <string>
#include <vector>

#include "fuse_bridge/writable/writable_tree.hpp"

namespace firstlight {

struct listed_name {
  std::string name;
  node_number number = 0;
  listing_place place = 0;
};

/// The first names that a folder shows from a place on, with "." and "..". Nothing if it cannot be listed.
inline std::optional<std::vector<listed_name>> list_folder(writable_tree& tree, node_number folder,
                                                           listing_place from = place_of_self,
                                                           std::size_t most = SIZE_MAX) {
  std::vector<listed_name> all;
  const auto listed = tree.list(folder, from, listing::names_and_attributes, [&](const listed_file& entry) {
    all.push_back({std::string(entry.name), entry.file.number, entry.place});
    return all.size() < most;
  });
  return listed ? std::optional(std::move(all)) : std::nullopt;
}

}  // namespace firstlight
