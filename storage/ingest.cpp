#include "storage/ingest.hpp"

#include <vector>

#include "storage/archive/layer_stream.hpp"
#include "storage/archive/tar_reader.hpp"
#include "storage/chain_ids.hpp"
#include "storage/content_hasher.hpp"

namespace firstlight {
namespace {

constexpr std::size_t copy_bytes = 256U << 10U;
constexpr std::uint64_t report_bytes = 1U << 20U;

bool is_compressed(const blob_descriptor& layer) {
  const auto& type = layer.media_type;
  return type.find("gzip") != std::string::npos || type.find("zstd") != std::string::npos;
}

class ingestion {
 public:
  ingestion(image_source& source, const resolved_image& image, const ingest_tools& tools)
      : source_(source), image_(image), tools_(tools), merger_(tools.limits.merge), buffer_(copy_bytes) {
    const auto all = static_cast<std::uint32_t>(image.manifest.layers.size());
    progress_.layers_total = tools.layers_wanted == 0 ? all : tools.layers_wanted;
    for (std::uint32_t i = 0; i < progress_.layers_total; ++i)
      progress_.bytes_total += image.manifest.layers[i].size;
  }

  result<image_tree> run() {
    report();
    if (const auto bytes = compressed_layers_bytes(); room().is_too_small_for(bytes)) return no_room(bytes);
    for (std::size_t i = 0; i < progress_.layers_total; ++i) {
      auto entries = layer(image_.manifest.layers[i], image_.config.diff_ids[i]);
      if (!entries) return tl::unexpected(entries.error());
      if (auto ok = merge(*entries); !ok) return fail(ok.error(), "layer " + std::to_string(i + 1));
    }
    return merger_.finish();
  }

  [[nodiscard]] std::uint64_t compressed_bytes() const { return progress_.bytes_total; }
  [[nodiscard]] std::uint32_t layers_read() const { return layers_read_; }

 private:
  // A plain tar's headers and padding may be larger than its files; it comes from this machine mostly.
  [[nodiscard]] std::uint64_t compressed_layers_bytes() const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < progress_.layers_total; ++i)
      if (const auto& blob = image_.manifest.layers[i]; is_compressed(blob)) bytes += blob.size;
    return bytes;
  }

  result<std::vector<layer_entry>> layer(const blob_descriptor& blob, const digest& diff_id) {
    const std::uint64_t before = progress_.bytes_done;
    const auto origin = source_.origin();
    const layer_key key{origin, origin.empty() ? digest{} : blob.id, diff_id};
    auto known = cached(key, blob);
    if (!known) return tl::unexpected(known.error());
    std::vector<layer_entry> entries;
    if (*known) {
      entries = std::move(**known);
      progress_.files += entries.size();
    } else {
      auto fresh = read_layer(blob, key);
      if (!fresh) return fresh;
      entries = std::move(*fresh);
    }
    progress_.bytes_done = before + blob.size;
    ++progress_.layers_done;
    report();
    return entries;
  }

  // A layer whose contents have gone since is read again, and so is one whose entries cannot be decoded. One
  // that the source would not give is not taken from another image.
  result<std::optional<std::vector<layer_entry>>> cached(const layer_key& key, const blob_descriptor& blob) {
    auto known = tools_.layers.find(key);
    if (!known && known.error().code != errc::corrupt && known.error().code != errc::protocol) return known;
    if (!known || !*known) return std::optional<std::vector<layer_entry>>{};
    for (const auto& entry : **known) {
      if (entry.content && tools_.contents.state(entry.content->id) != content_state::complete) {
        return std::optional<std::vector<layer_entry>>{};
      }
    }
    const auto given = source_.has_blob(blob);
    if (!given) return tl::unexpected(given.error());
    return *given ? known : std::optional<std::vector<layer_entry>>{};
  }

  result<std::vector<layer_entry>> read_layer(const blob_descriptor& blob, const layer_key& key) {
    auto packed = source_.open_blob(blob);
    if (!packed) return tl::unexpected(packed.error());
    auto stream = open_layer(std::move(*packed), blob, key.diff_id, tools_.limits);
    auto entries = read_entries(*stream);
    if (!entries) return fail(entries.error(), "layer " + blob.id.oci());
    ++layers_read_;
    auto kept = tools_.layers.put(key, *entries);
    // A layer that is too large to keep is read again the next time: slower, not wrong.
    if (!kept && kept.error().code != errc::limit_exceeded) return tl::unexpected(kept.error());
    return entries;
  }

  result<std::vector<layer_entry>> read_entries(layer_stream& stream) {
    tar_reader tar(stream, tools_.limits);
    std::vector<layer_entry> entries;
    const std::uint64_t base = progress_.bytes_done;
    std::uint64_t unpacked = 0;
    while (true) {
      auto next = tar.next();
      if (!next) return tl::unexpected(next.error());
      if (!*next) return entries;
      auto& [entry, size] = **next;
      // Holes cost a tar nothing, so the tar's own size does not bound its files.
      unpacked += size;
      if (size > tools_.limits.layer_unpacked_bytes_max ||
          unpacked > tools_.limits.layer_unpacked_bytes_max) {
        return fail(errc::limit_exceeded, "layer_unpacked_bytes_max in " + entry.path);
      }
      if (auto ok = store(tar, entry, size); !ok) return fail(ok.error(), entry.path);
      entries.push_back(std::move(entry));
      ++progress_.files;
      if (auto ok = advance(base + stream.compressed_bytes_read()); !ok) return tl::unexpected(ok.error());
    }
  }

  result<void> store(tar_reader& tar, layer_entry& entry, std::uint64_t size) {
    if (size == 0) return {};
    if (!room().has(size)) return find_stored(tar, entry, size);
    auto content = tools_.contents.new_content();
    if (auto ok = read_file(tar, [&](bytes_view bytes) { return content->append(bytes); }); !ok) return ok;
    const auto before = tools_.contents.bytes_stored();
    auto stored = content->finish();
    if (!stored) return tl::unexpected(stored.error());
    entry.content = *stored;
    // What others store meanwhile is not counted, at worst this neither.
    if (tools_.contents.bytes_stored() - before == size) brought_bytes_ += size;
    return {};
  }

  // Without room for it a file can only be one that is there already: it is hashed, and none of it kept.
  result<void> find_stored(tar_reader& tar, layer_entry& entry, std::uint64_t size) {
    if (!room().may_hold(size)) return no_room(brought_bytes_ + size);
    content_hasher hasher;
    const auto hashed = read_file(tar, [&](bytes_view bytes) {
      hasher.append(bytes);
      return result<void>();
    });
    if (!hashed) return hashed;
    const auto content = hasher.finish();
    if (tools_.contents.state(content.id) != content_state::complete) return no_room(brought_bytes_ + size);
    entry.content = content;
    return {};
  }

  template <class Take>
  result<void> read_file(tar_reader& tar, Take take) {
    while (true) {
      if (stopped()) return fail(errc::cancelled, "the ingestion was stopped");
      auto got = tar.read(buffer_);
      if (!got) return tl::unexpected(got.error());
      if (*got == 0) return {};
      if (auto ok = take(bytes_view(buffer_).first(*got)); !ok) return ok;
    }
  }

  [[nodiscard]] store_room room() const { return {tools_.store_bytes_max, tools_.contents.bytes_stored()}; }

  [[nodiscard]] tl::unexpected<error> no_room(std::uint64_t needed_bytes) const {
    if (tools_.no_room) tools_.no_room({image_.top_digest, needed_bytes});
    return tl::unexpected(room().no_room());
  }

  result<void> merge(const std::vector<layer_entry>& entries) {
    merger_.begin_layer();
    for (const auto& entry : entries) {
      if (auto ok = merger_.apply(entry); !ok) return ok;
    }
    return {};
  }

  result<void> advance(std::uint64_t bytes_done) {
    if (stopped()) return fail(errc::cancelled, "the ingestion was stopped");
    if (bytes_done >= reported_bytes_ + report_bytes) {
      progress_.bytes_done = bytes_done;
      report();
    }
    return {};
  }

  void report() {
    reported_bytes_ = progress_.bytes_done;
    if (tools_.progress) tools_.progress(progress_);
  }

  [[nodiscard]] bool stopped() const { return tools_.stop != nullptr && tools_.stop->load(); }

  image_source& source_;
  const resolved_image& image_;
  const ingest_tools& tools_;
  overlay_merger merger_;
  std::vector<std::byte> buffer_;
  ingest_progress progress_;
  std::uint64_t reported_bytes_ = 0;
  std::uint64_t brought_bytes_ = 0;  // new contents of this image, in the store now
  std::uint32_t layers_read_ = 0;
};

}  // namespace

result<ingested_image> ingest_image(image_source& source, const platform& wanted, const ingest_tools& tools) {
  auto image = source.resolve(wanted);
  if (!image) return tl::unexpected(image.error());
  const auto layers = image->manifest.layers.size();
  if (tools.layers_wanted > layers)
    return fail(errc::not_found, "the image has only " + std::to_string(layers) + " layers");
  if (tools.layers_wanted != 0 && tools.layers_wanted < layers)
    image->manifest_digest = layers_digest(image->manifest_digest, tools.layers_wanted);
  ingestion work(source, *image, tools);
  auto tree = work.run();
  if (!tree) return tl::unexpected(tree.error());
  return ingested_image{.top_digest = image->top_digest,
                        .manifest_digest = image->manifest_digest,
                        .manifest_json = std::move(image->manifest_json),
                        .config_json = std::move(image->config_json),
                        .config = std::move(image->config),
                        .tree = std::move(*tree),
                        .compressed_bytes = work.compressed_bytes(),
                        .layers_read = work.layers_read()};
}

}  // namespace firstlight
