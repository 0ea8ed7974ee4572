#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/ingest_limits.hpp"
#include "model/layer_entry.hpp"

namespace firstlight {

class database;

/// A layer as it was read and checked. An image says itself what its layers are, so that its word must not
/// open another registry's layer: who only knows a private layer's diff id has to bring its blob.
struct layer_key {
  std::string origin;  ///< `image_source::origin`
  digest blob;         ///< as that has it, packed; zeros for files: their user is the hub's own
  digest diff_id;
};

/// LAYER CACHE: the entries of layers that were ingested before, so that images over one base read only what
/// is new. It grows with the images that a hub has, not with those that it has had: see `forget_unless`. Any
/// thread.
class layer_cache {
 public:
  virtual ~layer_cache() = default;
  /// Nothing if the layer is not known. Errors: `corrupt`, `io`.
  virtual result<std::optional<std::vector<layer_entry>>> find(const layer_key& layer) const = 0;
  /// Errors: `io`, `no_space`; `limit_exceeded` if the entries are too many to keep.
  virtual result<void> put(const layer_key& layer, const std::vector<layer_entry>& entries) = 0;
  /// Forgets the layers that would be read again anyway: those with a content that is not `there`, and those
  /// whose entries cannot be decoded. Others may find and put layers meanwhile: at worst one is read again.
  /// Blocks for as long as reading the whole cache takes; ends early once `stop`, if there is one, is true.
  /// @returns how many. Errors: `io`, `no_space`.
  virtual result<std::size_t> forget_unless(const std::function<bool(const content_id&)>& there,
                                            const std::atomic<bool>* stop) = 0;
};

/// Keeps the entries in `metadata`, which outlives the cache.
[[nodiscard]] std::unique_ptr<layer_cache> make_layer_cache(database& metadata,
                                                            const ingest_limits& limits = {});

}  // namespace firstlight
