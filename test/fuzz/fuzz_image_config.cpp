#include <cstdlib>
#include <string_view>

#include "model/image_reference.hpp"
#include "schemas/image_config_json.hpp"
#include "storage/oci/auth_challenge.hpp"
#include "storage/oci/manifest_json.hpp"
#include "test/fuzz/fuzz_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace firstlight;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_image_config(text));
  static_cast<void>(is_image_index(text));
  static_cast<void>(parse_image_index(text));
  static_cast<void>(parse_image_manifest(text));
  static_cast<void>(parse_auth_challenges(text));
  const auto reference = parse_image_reference(text);
  if (reference && parse_image_reference(reference->text()) != *reference) std::abort();
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const std::string id = "\"sha256:" + std::string(64, 'a') + "\"";
  return {
      R"({"architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Cmd":["sh"],"Labels":{"k":"v"},)"
      R"("ExposedPorts":{"80/tcp":{}}},"rootfs":{"type":"layers","diff_ids":[)" +
          id + "]}}",
      R"({"schemaVersion":2,"config":{"mediaType":"c","digest":)" + id +
          R"(,"size":3},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":)" +
          id + R"(,"size":9}]})",
      R"({"schemaVersion":2,"manifests":[{"mediaType":"m","digest":)" + id +
          R"(,"size":3,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}}]})",
      R"(Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull")",
      "registry.example:5000/team/app:1.2@sha256:" + std::string(64, '0'),
      "oci:/folder/of/layout:tag",
  };
}
