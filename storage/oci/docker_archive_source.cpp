#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "model/image_reference.hpp"
#include "schemas/image_config_json.hpp"
#include "schemas/json.hpp"
#include "storage/oci/file_source.hpp"
#include "storage/oci/layout_source.hpp"
#include "storage/oci/manifest_json.hpp"
#include "storage/oci/resolve_image.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

struct archived_image {
  std::string config_name;
  std::vector<std::string> tags;
  std::vector<std::string> layer_names;
};

result<archived_image> read_image(const detail::json& object) {
  archived_image image;
  image.config_name = detail::text_member(object, "Config");
  auto tags = detail::texts_member(object, "RepoTags");
  auto layers = detail::texts_member(object, "Layers");
  if (!tags || !layers || image.config_name.empty()) return fail(errc::corrupt, "manifest.json is malformed");
  image.tags = std::move(*tags);
  image.layer_names = std::move(*layers);
  return image;
}

result<std::vector<archived_image>> read_images(const std::string& text) {
  const std::string wrapped = "{\"images\":" + text + "}";
  auto root = detail::parse_json_object(wrapped, "manifest.json");
  if (!root) return tl::unexpected(root.error());
  std::vector<archived_image> images;
  const detail::json& list = detail::member(*root, "images");
  if (!list.is_array()) return fail(errc::corrupt, "manifest.json is malformed");
  for (const auto& object : list) {
    auto image = read_image(object);
    if (!image) return tl::unexpected(image.error());
    images.push_back(std::move(*image));
  }
  return images;
}

// "redis", "redis:latest" and "docker.io/library/redis:latest" are one name.
std::string canonical(const std::string& name) {
  auto reference = parse_image_reference(name);
  return reference ? reference->text() : name;
}

struct measured {
  digest id;
  std::uint64_t size = 0;
  bool compressed = false;
};

result<measured> measure(byte_source& source) {
  measured all;
  sha256_stream hash;
  std::vector<std::byte> buffer(256U << 10U);
  for (bool first = true;; first = false) {
    auto got = source.read(buffer);
    if (!got) return tl::unexpected(got.error());
    if (*got == 0) break;
    all.compressed =
        all.compressed || (first && *got > 1 && buffer[0] == std::byte{0x1f} && buffer[1] == std::byte{0x8b});
    hash.update(bytes_view(buffer).first(*got));
    all.size += *got;
  }
  all.id = hash.finish();
  return all;
}

class docker_archive_source : public image_source {
 public:
  docker_archive_source(std::unique_ptr<layout_files> files, std::string wanted_name,
                        const ingest_limits& limits)
      : files_(std::move(files)), wanted_name_(std::move(wanted_name)), limits_(limits) {}

  result<digest> current_digest() override {
    if (auto ok = build(); !ok) return tl::unexpected(ok.error());
    return built_->manifest_digest;
  }

  result<resolved_image> resolve(const platform& wanted) override {
    if (auto ok = build(); !ok) return tl::unexpected(ok.error());
    if (auto ok = check_resolved(*built_, wanted, limits_); !ok) return fail(ok.error(), files_->name());
    return *built_;
  }

  result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) override {
    const auto found = names_.find(blob.id);
    if (found == names_.end()) return fail(errc::not_found, files_->name() + " holds no " + blob.id.oci());
    return files_->open(found->second);
  }

 private:
  result<void> build() {
    if (built_) return {};
    auto made = make();
    if (!made) return fail(made.error(), files_->name());
    built_ = std::move(*made);
    return {};
  }

  result<std::string> read_text(const std::string& name, std::uint32_t bytes_max) {
    auto file = files_->open(name);
    if (!file) return tl::unexpected(file.error());
    return read_all(**file, bytes_max, name + " is too large");
  }

  result<archived_image> pick() {
    auto text = read_text("manifest.json", limits_.manifest_bytes_max);
    if (!text) return fail(text.error(), "not a docker archive");
    auto images = read_images(*text);
    if (!images) return tl::unexpected(images.error());
    if (wanted_name_.empty() && images->size() == 1) return images->front();
    std::string names;
    for (const auto& image : *images) {
      for (const auto& tag : image.tags) {
        if (!wanted_name_.empty() && canonical(tag) == canonical(wanted_name_)) return image;
        names.append(names.empty() ? "" : ", ").append(tag);
      }
    }
    if (wanted_name_.empty())
      return fail(errc::invalid_argument, "several images: say which one; there is: " + names);
    return fail(errc::not_found, "no image '" + wanted_name_ + "'; there is: " + names);
  }

  result<resolved_image> make() {
    auto chosen = pick();
    if (!chosen) return tl::unexpected(chosen.error());
    auto config_json = read_text(chosen->config_name, limits_.config_bytes_max);
    if (!config_json) return tl::unexpected(config_json.error());
    auto config = parse_image_config(*config_json);
    if (!config) return tl::unexpected(config.error());
    if (chosen->layer_names.size() > limits_.layers_max) return fail(errc::limit_exceeded, "layers_max");
    image_manifest manifest;
    const auto raw = std::as_bytes(std::span(*config_json));
    manifest.config = {"application/vnd.oci.image.config.v1+json", sha256(raw), raw.size()};
    for (const auto& name : chosen->layer_names) {
      auto layer = add_layer(name);
      if (!layer) return tl::unexpected(layer.error());
      manifest.layers.push_back(std::move(*layer));
    }
    resolved_image image;
    image.manifest_json = make_image_manifest(manifest);
    image.manifest_digest = sha256(std::as_bytes(std::span(image.manifest_json)));
    image.top_digest = image.manifest_digest;
    image.config_json = std::move(*config_json);
    image.manifest = std::move(manifest);
    image.config = std::move(*config);
    return image;
  }

  // The archive does not say the digests of its layers as they are.
  result<blob_descriptor> add_layer(const std::string& name) {
    auto file = files_->open(name);
    if (!file) return tl::unexpected(file.error());
    auto layer = measure(**file);
    if (!layer) return tl::unexpected(layer.error());
    names_[layer->id] = name;
    constexpr const char* plain = "application/vnd.oci.image.layer.v1.tar";
    return blob_descriptor{layer->compressed ? std::string(plain) + "+gzip" : plain, layer->id, layer->size};
  }

  std::unique_ptr<layout_files> files_;
  std::string wanted_name_;
  ingest_limits limits_;
  std::optional<resolved_image> built_;
  std::map<digest, std::string> names_;  // of layers in the archive
};

}  // namespace

std::unique_ptr<image_source> make_docker_archive_source(std::unique_ptr<layout_files> files,
                                                         std::string wanted_name,
                                                         const ingest_limits& limits) {
  return std::make_unique<docker_archive_source>(std::move(files), std::move(wanted_name), limits);
}

}  // namespace firstlight
