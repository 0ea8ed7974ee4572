#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "config/ingest_limits.hpp"
#include "model/layer_entry.hpp"

namespace firstlight {

class database;

/// LAYER CACHE: the entries of layers that were ingested before, by diff id, so that images over one base
/// read only what is new. Any thread.
class layer_cache {
 public:
  virtual ~layer_cache() = default;
  /// Nothing if the layer is not known. Errors: `corrupt`, `io`.
  virtual result<std::optional<std::vector<layer_entry>>> find(const digest& diff_id) const = 0;
  /// Errors: `io`, `no_space`; `limit_exceeded` if the entries are too many to keep.
  virtual result<void> put(const digest& diff_id, const std::vector<layer_entry>& entries) = 0;
};

/// Keeps the entries in `metadata`, which outlives the cache.
[[nodiscard]] std::unique_ptr<layer_cache> make_layer_cache(database& metadata,
                                                            const ingest_limits& limits = {});

}  // namespace firstlight
