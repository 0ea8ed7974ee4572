#include "storage/oci/resolve_image.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "storage/oci/registry_auth.hpp"
#include "storage/sha256.hpp"

namespace firstlight {
namespace {

constexpr const char* manifest_type = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* index_type = "application/vnd.oci.image.index.v1+json";

/// Texts by their digests, as a registry has them.
class texts {
 public:
  std::string add(const std::string& text) {
    const auto id = sha256(std::as_bytes(std::span(text)));
    texts_[id] = text;
    return R"("digest":")" + id.oci() + R"(","size":)" + std::to_string(text.size());
  }
  /// An image of one empty layer for one platform; a line of an index.
  std::string image(const std::string& architecture, const std::string& variant = "") {
    const auto config =
        add(R"({"architecture":")" + architecture + R"(","os":"linux","rootfs":{"type":"layers",
      "diff_ids":["sha256:)" +
            std::string(64, '1') + R"("]},"config":{"Env":["A=)" + architecture + variant + R"("]}})");
    const auto manifest =
        add(R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",)" +
            config + R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",
      "digest":"sha256:)" +
            std::string(64, '1') + R"(","size":1024}]})");
    const auto more = variant.empty() ? "" : R"(,"variant":")" + variant + "\"";
    return R"({"mediaType":")" + std::string(manifest_type) + R"(",)" + manifest +
           R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"" + more + "}}";
  }
  result<resolved_image> resolve(const std::string& index, const std::string& wanted) const {
    const described_text top{{index_type, sha256(std::as_bytes(std::span(index))), index.size()}, index};
    const auto read = [this](const blob_descriptor& blob, std::uint32_t) -> result<std::string> {
      return texts_.at(blob.id);
    };
    return resolve_image(top, parse_platform(wanted).value(), read, {});
  }

 private:
  std::map<digest, std::string> texts_;
};

std::string index_of(const std::vector<std::string>& lines) {
  std::string index = R"({"schemaVersion":2,"mediaType":")" + std::string(index_type) + R"(","manifests":[)";
  for (const auto& line : lines) index += (line == lines.front() ? "" : ",") + line;
  return index + "]}";
}

}  // namespace

TEST_CASE("of an index of several platforms the one that is wanted is chosen") {
  texts registry;
  const auto index =
      index_of({registry.image("arm64", "v8"), registry.image("amd64"), registry.image("arm", "v7")});
  for (const auto& [wanted, env] :
       {std::pair{"linux/amd64", "A=amd64"}, std::pair{"linux/arm64", "A=arm64v8"},
        std::pair{"linux/arm/v7", "A=armv7"}}) {
    const auto image = registry.resolve(index, wanted);
    REQUIRE(image);
    CHECK(image->config_json.find(env) != std::string::npos);
    CHECK(image->top_digest == sha256(std::as_bytes(std::span(index))));
    CHECK(image->manifest_digest != image->top_digest);
  }
}

TEST_CASE("a platform that an index lacks is refused, and the error names those that it has") {
  texts registry;
  const auto index = index_of({registry.image("amd64"), registry.image("arm64", "v8")});
  const auto none = registry.resolve(index, "linux/s390x");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::not_found);
  CHECK(none.error().detail.find("linux/amd64") != std::string::npos);
  CHECK(none.error().detail.find("linux/arm64") != std::string::npos);
}

TEST_CASE("plain HTTP is for the loopback and for the hosts that are named") {
  source_options options;
  CHECK(check_transport("https://registry.example/v2/", options));
  CHECK(check_transport("http://127.0.0.1:5000/v2/", options));
  CHECK(check_transport("http://localhost:5000/v2/", options));
  CHECK(check_transport("http://registry.example/v2/", options).error().code == errc::failed_precondition);
  CHECK(check_transport("http://127.0.0.1.example:5000/v2/", options).error().code ==
        errc::failed_precondition);
  CHECK(check_transport("ftp://registry.example/", options).error().code == errc::failed_precondition);
  options.plain_http_hosts = {"registry.example"};
  CHECK(check_transport("http://registry.example/v2/", options));
}

}  // namespace firstlight
