#include "test/harness/layout_builder.hpp"

#include <openssl/sha.h>
#include <sys/wait.h>
#include <zlib.h>
#include <zstd.h>

#include <cstdlib>
#include <fstream>

#include "model/digest.hpp"
#include "model/platform.hpp"

namespace firstlight {
namespace {

std::string sha256_of(const std::string& bytes) {
  digest value;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(value.bytes.data()));
  return value.hex();
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string add_blob(const std::filesystem::path& folder, const std::string& type, const std::string& bytes) {
  const std::string id = sha256_of(bytes);
  write_file(folder / "blobs" / "sha256" / id, bytes);
  return R"({"mediaType":)" + quoted(type) + R"(,"digest":"sha256:)" + id + R"(","size":)" +
         std::to_string(bytes.size()) + "}";
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string packed(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const auto& part : parts) all += (all.empty() ? "" : ",") + part;
  return all;
}

std::string media_type(layer_packing packing) {
  const std::string plain = "application/vnd.oci.image.layer.v1.tar";
  return packing == layer_packing::plain ? plain
                                         : plain + (packing == layer_packing::gzip ? "+gzip" : "+zstd");
}

std::vector<std::string> diff_ids_of(const std::vector<std::string>& tars) {
  std::vector<std::string> ids;
  for (const auto& tar : tars) ids.push_back(quoted("sha256:" + sha256_of(tar)));
  return ids;
}

/// What a layout holds beside its layers.
struct image_words {
  std::vector<std::string> diff_ids;
  std::string architecture;
  std::string settings;
};

void write_image(const std::filesystem::path& folder, const std::vector<std::string>& tars,
                 layer_packing packing, const image_words& words) {
  std::filesystem::create_directories(folder / "blobs" / "sha256");
  std::vector<std::string> layers;
  for (const auto& tar : tars)
    layers.push_back(add_blob(folder, media_type(packing), pack_layer(tar, packing)));
  const std::string config = R"({"architecture":)" + quoted(words.architecture) +
                             R"(,"os":"linux","config":)" + words.settings +
                             R"(,"rootfs":{"type":"layers","diff_ids":[)" + join(words.diff_ids) + "]}}";
  const std::string manifest = R"({"schemaVersion":2,"config":)" +
                               add_blob(folder, "application/vnd.oci.image.config.v1+json", config) +
                               R"(,"layers":[)" + join(layers) + "]}";
  std::string entry = add_blob(folder, "application/vnd.oci.image.manifest.v1+json", manifest);
  entry.insert(entry.size() - 1, R"(,"annotations":{"org.opencontainers.image.ref.name":"latest"})");
  write_file(folder / "index.json", R"({"schemaVersion":2,"manifests":[)" + entry + "]}");
  write_file(folder / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
}

}  // namespace

std::string pack_layer(const std::string& tar, layer_packing packing) {
  if (packing == layer_packing::plain) return tar;
  if (packing == layer_packing::gzip) return gzip(tar);
  std::string packed(ZSTD_compressBound(tar.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), tar.data(), tar.size(), 3));
  return packed;
}

void write_layout(const std::filesystem::path& folder, const std::vector<std::string>& tars,
                  layer_packing packing, const std::string& architecture, const std::string& settings) {
  const auto machine = architecture.empty() ? host_platform().architecture : architecture;
  write_image(folder, tars, packing, {diff_ids_of(tars), machine, settings});
}

void write_forged_layout(const std::filesystem::path& folder, const std::vector<std::string>& tars,
                         layer_packing packing, const forged_layer& forged) {
  auto claimed = tars;
  claimed.at(forged.index) = forged.claimed_tar;
  write_image(folder, tars, packing, {diff_ids_of(claimed), host_platform().architecture, "{}"});
}

int run_program(const std::string& command_line) {
  const int status = std::system((command_line + " >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace firstlight
