// The manifest.json of what `docker save` writes, with files beside it whose names it has to find.
#include <cstdlib>
#include <map>
#include <span>

#include "storage/oci/file_source.hpp"
#include "storage/oci/layout_source.hpp"
#include "storage/oci/manifest_json.hpp"
#include "storage/sha256.hpp"
#include "test/fuzz/fuzz_entry.hpp"

using namespace firstlight;

namespace {

using named_texts = std::map<std::string, std::string>;

class text_source : public byte_source {
 public:
  explicit text_source(std::string_view text) : rest_(text) {}
  result<std::size_t> read(std::span<std::byte> into) override {
    const std::size_t length = std::min(into.size(), rest_.size());
    const auto bytes = std::as_bytes(std::span(rest_));
    std::copy_n(bytes.begin(), length, into.begin());
    rest_.remove_prefix(length);
    return length;
  }

 private:
  std::string_view rest_;
};

class texts_in_memory : public layout_files {
 public:
  explicit texts_in_memory(const named_texts& texts) : texts_(texts) {}
  result<std::unique_ptr<byte_source>> open(const std::string& name) const override {
    const auto found = texts_.find(name);
    if (found == texts_.end()) return fail(errc::not_found, name);
    return std::make_unique<text_source>(found->second);
  }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  const named_texts& texts_;
  std::string name_ = "archive.tar";
};

ingest_limits small_limits() {
  ingest_limits limits;
  limits.layers_max = 3;
  limits.manifest_bytes_max = 64U << 10U;
  return limits;
}

/// A configuration of two layers.
std::string config_of_two() {
  const std::string id = "\"sha256:" + std::string(64, 'a') + "\"";
  return R"({"os":"linux","architecture":")" + host_platform().architecture +
         R"(","rootfs":{"type":"layers","diff_ids":[)" + id + "," + id + "]}}";
}

/// What is made for the image is the manifest of just the files that it lists, all within the limits.
void check(image_source& source, const resolved_image& image, const ingest_limits& limits) {
  if (image.manifest.layers.size() > limits.layers_max ||
      image.manifest.layers.size() != image.config.diff_ids.size())
    std::abort();
  if (parse_image_manifest(image.manifest_json) != image.manifest) std::abort();
  if (source.current_digest() != image.manifest_digest) std::abort();
  for (const auto& layer : image.manifest.layers) {
    const auto blob = source.open_blob(layer);
    if (!blob) std::abort();
    const auto bytes = read_all(**blob, layer.size, "size");
    if (!bytes || bytes->size() != layer.size || sha256(std::as_bytes(std::span(*bytes))) != layer.id)
      std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto limits = small_limits();
  const named_texts texts{{"manifest.json", {reinterpret_cast<const char*>(data), size}},
                          {"config.json", config_of_two()},
                          {"a/layer.tar", "some bytes"},
                          {"b/layer.tar", "\x1f\x8b others"}};
  for (const char* wanted : {"", "app:1"}) {
    const auto source = make_docker_archive_source(std::make_unique<texts_in_memory>(texts), wanted, limits);
    const auto image = source->resolve(host_platform());
    if (image && size > limits.manifest_bytes_max) std::abort();
    if (image) check(*source, *image, limits);
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::string layers = R"("Layers":["a/layer.tar","b/layer.tar"])";
  const std::string app = R"({"Config":"config.json","RepoTags":["app:1"],)" + layers + "}";
  return {"[" + app + "]",
          "[" + app + R"(,{"Config":"config.json","RepoTags":["docker.io/library/b:2"],)" + layers + "}]",
          R"([{"Config":"config.json","RepoTags":null,"Layers":["a/layer.tar","a/layer.tar"]}])"};
}
