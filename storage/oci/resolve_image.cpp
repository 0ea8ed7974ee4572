#include "storage/oci/resolve_image.hpp"

#include <algorithm>
#include <span>

#include "schemas/image_config_json.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

std::string offered(const std::vector<index_entry>& entries) {
  std::string all;
  for (const auto& entry : entries) {
    if (!entry.target || entry.target->os == "unknown") continue;
    all.append(all.empty() ? "" : ", ").append(entry.target->text());
  }
  return all.empty() ? "none" : all.substr(0, 500);
}

// The best match; the first of equals. Entries that say no platform suit any, weakly.
result<blob_descriptor> choose(const std::vector<index_entry>& entries, const platform& wanted) {
  const auto score = [&wanted](const index_entry& entry) {
    return entry.target ? 2 * suitability(*entry.target, wanted) : 1;
  };
  const auto best = std::max_element(entries.begin(), entries.end(),
                                     [&score](const auto& a, const auto& b) { return score(a) < score(b); });
  if (best == entries.end() || score(*best) == 0) {
    return fail(errc::not_found, "no image for " + wanted.text() + "; there is " + offered(entries));
  }
  return best->blob;
}

result<resolved_image> read_manifest(described_text manifest, const platform& wanted, const text_reader& read,
                                     const ingest_limits& limits) {
  auto parsed = parse_image_manifest(manifest.text);
  if (!parsed) return tl::unexpected(parsed.error());
  auto config_json = read_checked(parsed->config, read, limits.config_bytes_max, "config_bytes_max");
  if (!config_json) return tl::unexpected(config_json.error());
  auto config = parse_image_config(*config_json);
  if (!config) return tl::unexpected(config.error());
  resolved_image image{.top_digest = {},
                       .manifest_digest = manifest.blob.id,
                       .manifest_json = std::move(manifest.text),
                       .config_json = std::move(*config_json),
                       .manifest = std::move(*parsed),
                       .config = std::move(*config)};
  if (auto ok = check_resolved(image, wanted, limits); !ok) return tl::unexpected(ok.error());
  return image;
}

}  // namespace

result<std::string> read_checked(const blob_descriptor& blob, const text_reader& read,
                                 std::uint32_t bytes_max, const std::string& limit_name) {
  if (blob.size > bytes_max) return fail(errc::limit_exceeded, limit_name);
  auto text = read(blob, bytes_max);
  if (!text) return text;
  if (sha256(std::as_bytes(std::span(*text))) != blob.id) {
    return fail(errc::corrupt, blob.id.oci() + " has other bytes than its digest says");
  }
  return text;
}

result<void> check_resolved(const resolved_image& image, const platform& wanted,
                            const ingest_limits& limits) {
  const platform& target = image.config.target;
  if (!target.architecture.empty() && suitability(target, wanted) == 0) {
    return fail(errc::not_found, "the image is for " + target.text() + ", not for " + wanted.text());
  }
  if (image.manifest.layers.size() > limits.layers_max) return fail(errc::limit_exceeded, "layers_max");
  if (image.manifest.layers.size() != image.config.diff_ids.size()) {
    return fail(errc::corrupt, "the manifest has " + std::to_string(image.manifest.layers.size()) +
                                   " layers, the configuration " +
                                   std::to_string(image.config.diff_ids.size()));
  }
  for (const auto& layer : image.manifest.layers) {
    if (layer.size > limits.layer_bytes_max) return fail(errc::limit_exceeded, "layer_bytes_max");
  }
  return {};
}

result<resolved_image> resolve_image(const described_text& top, const platform& wanted,
                                     const text_reader& read, const ingest_limits& limits) {
  described_text current = top;
  for (std::uint32_t depth = 0; depth <= limits.index_depth_max; ++depth) {
    auto index = is_image_index(current.text);
    if (!index) return tl::unexpected(index.error());
    if (!*index) {
      auto image = read_manifest(std::move(current), wanted, read, limits);
      if (image) image->top_digest = top.blob.id;
      return image;
    }
    auto entries = parse_image_index(current.text);
    if (!entries) return tl::unexpected(entries.error());
    auto chosen = choose(*entries, wanted);
    if (!chosen) return tl::unexpected(chosen.error());
    auto text = read_checked(*chosen, read, limits.manifest_bytes_max, "manifest_bytes_max");
    if (!text) return tl::unexpected(text.error());
    current = {std::move(*chosen), std::move(*text)};
  }
  return fail(errc::limit_exceeded, "index_depth_max");
}

}  // namespace firstlight
