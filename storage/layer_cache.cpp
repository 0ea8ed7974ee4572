#include "storage/layer_cache.hpp"

#include <span>

#include "schemas/layer.hpp"
#include "storage/database.hpp"

namespace firstlight {
namespace {

constexpr table layer_entries_table{"layer-entries"};

/// Both digests have one length, so that no key can be taken for another.
std::string as_key(const layer_key& layer) {
  return std::string(firstlight::as_key(layer.blob)) + std::string(firstlight::as_key(layer.diff_id)) +
         layer.origin;
}

class stored_layer_cache : public layer_cache {
 public:
  stored_layer_cache(database& metadata, const ingest_limits& limits)
      : metadata_(metadata), bytes_max_(limits.entries_cached_bytes_max) {}

  result<std::optional<std::vector<layer_entry>>> find(const layer_key& layer) const override {
    auto stored = metadata_.get(layer_entries_table, as_key(layer));
    if (!stored) return tl::unexpected(stored.error());
    if (!*stored) return std::optional<std::vector<layer_entry>>{};
    auto entries = decode_layer(std::as_bytes(std::span(**stored)));
    if (!entries) return fail(entries.error(), "entries of layer " + layer.diff_id.oci());
    return std::move(*entries);
  }

  result<void> put(const layer_key& layer, const std::vector<layer_entry>& entries) override {
    const auto bytes = encode_layer(entries);
    if (bytes.size() > bytes_max_) return fail(errc::limit_exceeded, "entries_cached_bytes_max");
    return metadata_.put(layer_entries_table, as_key(layer),
                         {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

 private:
  database& metadata_;
  std::size_t bytes_max_;
};

}  // namespace

std::unique_ptr<layer_cache> make_layer_cache(database& metadata, const ingest_limits& limits) {
  return std::make_unique<stored_layer_cache>(metadata, limits);
}

}  // namespace firstlight
