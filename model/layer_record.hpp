#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// Names one registered layer for ever: ids count from 1 and are never used again.
struct layer_id {
  std::uint64_t value = 0;
  friend auto operator<=>(const layer_id&, const layer_id&) = default;
};

enum class layer_access : std::uint8_t { read_only = 1, writable = 2 };
enum class layer_progress : std::uint8_t { incomplete = 1, complete = 2 };

/// Key and value, free text for whoever registered the layer.
using layer_label = std::pair<std::string, std::string>;

/// What is known of one registered layer.
struct layer_record {
  layer_id id;
  std::string name;  ///< unique: given, else the path below the store's `layers/` or the absolute path
  std::string path;  ///< absolute
  layer_access access = layer_access::read_only;
  layer_progress progress = layer_progress::incomplete;
  std::optional<toc_id> toc;        ///< the image that the layer shows
  std::vector<layer_label> labels;  ///< sorted by key, keys unique
  std::int64_t created_at = 0;      ///< seconds since the epoch
  std::int64_t used_at = 0;         ///< seconds since the epoch
  std::uint32_t references = 0;     ///< who needs it: mounts, children
  friend bool operator==(const layer_record&, const layer_record&) = default;
};

}  // namespace firstlight
