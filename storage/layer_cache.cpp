#include "storage/layer_cache.hpp"

#include <algorithm>
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

result<std::vector<layer_entry>> decoded(std::string_view stored) {
  return decode_layer(std::as_bytes(std::span(stored)));
}

class stored_layer_cache : public layer_cache {
 public:
  stored_layer_cache(database& metadata, const ingest_limits& limits)
      : metadata_(metadata), bytes_max_(limits.entries_cached_bytes_max) {}

  result<std::optional<std::vector<layer_entry>>> find(const layer_key& layer) const override {
    auto stored = metadata_.get(layer_entries_table, as_key(layer));
    if (!stored) return tl::unexpected(stored.error());
    if (!*stored) return std::optional<std::vector<layer_entry>>{};
    auto entries = decoded(**stored);
    if (!entries) return fail(entries.error(), "entries of layer " + layer.diff_id.oci());
    return std::move(*entries);
  }

  result<void> put(const layer_key& layer, const std::vector<layer_entry>& entries) override {
    const auto bytes = encode_layer(entries);
    if (bytes.size() > bytes_max_) return fail(errc::limit_exceeded, "entries_cached_bytes_max");
    return metadata_.put(layer_entries_table, as_key(layer),
                         {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  result<std::size_t> forget_unless(const std::function<bool(const content_id&)>& there,
                                    const std::atomic<bool>* stop) override {
    write_batch lost;
    const auto is_lost = [&](const layer_entry& entry) { return entry.content && !there(entry.content->id); };
    auto scanned = metadata_.scan(layer_entries_table, "", [&](std::string_view key, std::string_view value) {
      if (stop != nullptr && stop->load()) return scan_step::stop;
      const auto entries = decoded(value);
      if (!entries || std::any_of(entries->begin(), entries->end(), is_lost))
        lost.erase(layer_entries_table, key);
      return scan_step::next;
    });
    if (!scanned) return tl::unexpected(scanned.error());
    if (auto written = metadata_.write(lost); !written) return tl::unexpected(written.error());
    return lost.size();
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
