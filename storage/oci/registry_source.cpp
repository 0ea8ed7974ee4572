#include "storage/oci/registry_source.hpp"

#include <span>

#include "storage/oci/file_source.hpp"
#include "storage/oci/registry_blob.hpp"
#include "storage/oci/resolve_image.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

bool is_manifest(const blob_descriptor& blob) {
  return blob.media_type.empty() || blob.media_type.find("manifest") != std::string::npos ||
         blob.media_type.find("index") != std::string::npos;
}

class registry_source : public image_source {
 public:
  registry_source(const image_reference& reference, const source_options& options)
      : reference_(reference), options_(options), session_(reference.host, reference.repository, options_) {}

  result<digest> current_digest() override {
    if (reference_.pinned) return *reference_.pinned;
    session_.progressed();
    auto answer = session_.open(
        {.path = "manifests/" + reference_.tag, .method = "HEAD", .headers = {accept_manifests}});
    if (!answer) return tl::unexpected(answer.error());
    auto said = parse_oci_digest((*answer)->head().header("docker-content-digest"));
    if (said) return *said;
    auto top = read_top();
    if (!top) return tl::unexpected(top.error());
    return top->blob.id;
  }

  result<resolved_image> resolve(const platform& wanted) override {
    auto top = read_top();
    if (!top) return tl::unexpected(top.error());
    const text_reader read = [this](const blob_descriptor& blob, std::uint32_t bytes_max) {
      return is_manifest(blob) ? read_manifest(blob.id.oci(), bytes_max) : read_blob(blob, bytes_max);
    };
    auto image = resolve_image(*top, wanted, read, options_.limits);
    if (!image) return fail(image.error(), reference_.text());
    return image;
  }

  [[nodiscard]] std::string origin() const override { return reference_.host; }

  result<bool> has_blob(const blob_descriptor& blob) override {
    session_.progressed();
    const auto answer = session_.open({.path = "blobs/" + blob.id.oci(), .method = "HEAD", .headers = {}});
    if (answer) return true;
    if (answer.error().code == errc::not_found) return false;
    return tl::unexpected(answer.error());
  }

  result<std::unique_ptr<byte_source>> open_blob(const blob_descriptor& blob) override {
    session_.progressed();
    return make_registry_blob(session_, blob);
  }

 private:
  result<described_text> read_top() {
    const std::string name = reference_.pinned ? reference_.pinned->oci() : reference_.tag;
    auto text = read_manifest(name, options_.limits.manifest_bytes_max);
    if (!text) return tl::unexpected(text.error());
    const digest id = sha256(std::as_bytes(std::span(*text)));
    if (reference_.pinned && id != *reference_.pinned) {
      return fail(errc::corrupt, reference_.text() + ": the registry gives another manifest");
    }
    return described_text{{.media_type = {}, .id = id, .size = text->size()}, std::move(*text)};
  }

  result<std::string> read_manifest(const std::string& name, std::uint32_t bytes_max) {
    return read_text(
        {.path = "manifests/" + name, .method = "GET", .headers = {accept_manifests}, .small = true},
        bytes_max);
  }

  result<std::string> read_blob(const blob_descriptor& blob, std::uint32_t bytes_max) {
    return read_text({.path = "blobs/" + blob.id.oci(), .method = "GET", .headers = {}, .small = true},
                     bytes_max);
  }

  // A text is small: after a cut it is read again from its start.
  result<std::string> read_text(const registry_session::wish& wanted, std::uint32_t bytes_max) {
    session_.progressed();
    while (true) {
      auto answer = session_.open(wanted);
      if (!answer) return tl::unexpected(answer.error());
      auto text = read_all(**answer, bytes_max, wanted.path + " is too large");
      if (text) return text;
      if (auto again = session_.pause_or_fail(text.error()); !again) return tl::unexpected(again.error());
    }
  }

  image_reference reference_;
  source_options options_;
  registry_session session_;
};

}  // namespace

std::unique_ptr<image_source> make_registry_source(const image_reference& reference,
                                                   const source_options& options) {
  return std::make_unique<registry_source>(reference, options);
}

}  // namespace firstlight
