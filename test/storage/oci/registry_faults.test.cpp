#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "storage/ingest.hpp"
#include "storage/oci/open_source.hpp"
#include "test/harness/http_server.hpp"
#include "test/harness/layout_builder.hpp"
#include "test/harness/tar_builder.hpp"
#include "test/storage/store_fixture.hpp"

namespace firstlight {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Serves a layout as a registry would; tests bend its answers.
struct served_layout {
  temporary_folder folder;
  std::filesystem::path layout = folder.path() / "layout";
  std::string large_blob;  ///< the digest of the first layer

  served_layout() {
    std::string text(500'000, ' ');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 7U);
    write_layout(layout, {tar_builder().file("a", text).take()}, layer_packing::plain);
    large_blob = manifest()["layers"][0]["digest"];
  }
  [[nodiscard]] nlohmann::json index() const { return nlohmann::json::parse(slurp(layout / "index.json")); }
  [[nodiscard]] std::string blob(const std::string& id) const {
    return slurp(layout / "blobs/sha256" / id.substr(7));
  }
  [[nodiscard]] nlohmann::json manifest() const {
    return nlohmann::json::parse(blob(index()["manifests"][0]["digest"]));
  }
  [[nodiscard]] served_response answer(const served_request& request) const {
    const std::string name = request.target.substr(request.target.rfind('/') + 1);
    const std::string id = name == "1" ? index()["manifests"][0]["digest"].get<std::string>() : name;
    std::string body = blob(id);
    const auto range = request.headers.find("range");
    if (range == request.headers.end()) return {200, {}, body};
    const auto from = std::stoul(range->second.substr(6));
    const std::string content_range = "Content-Range: bytes " + std::to_string(from) + "-" +
                                      std::to_string(body.size() - 1) + "/" + std::to_string(body.size());
    return {206, {content_range}, body.substr(from)};
  }
  result<ingested_image> ingest(const std::string& host, std::uint32_t attempts_max = 5) {
    opened_store store(folder.path() / "store");
    const ingest_limits limits;
    const auto layers = make_layer_cache(*store.metadata);
    source_options options{.docker_config = folder.path() / "config.json"};
    options.registry.backoff_first = options.registry.backoff_max = std::chrono::milliseconds(1);
    options.registry.attempts_max = attempts_max;
    auto source = open_image_source(*parse_image_reference(host + "/team/app:1"), options);
    REQUIRE(source);
    return ingest_image(**source, host_platform(), {*store.contents, *layers, limits, {}});
  }
};

/// What a registry says that wants a token of this server.
std::string bearer_demand(const http_server& token_server) {
  return "WWW-Authenticate: Bearer realm=\"http://" + token_server.host() +
         "/token\",service=\"reg\",scope=\"repository:team/app:pull\"";
}

bool has(const served_request& request, const std::string& header, const std::string& value) {
  const auto found = request.headers.find(header);
  return found != request.headers.end() && found->second == value;
}

}  // namespace

TEST_CASE("a blob that is cut is resumed where it ended", "[registry]") {
  served_layout image;
  int cuts = 0;
  http_server server([&](const served_request& request) {
    auto response = image.answer(request);
    if (request.target.ends_with(image.large_blob) && cuts++ < 3) response.cut_after = 100'000;
    return response;
  });
  CHECK(image.ingest(server.host()).has_value());
  const auto requests = server.requests();
  std::vector<std::string> ranges;
  for (const auto& request : requests) {
    if (request.headers.contains("range")) ranges.push_back(request.headers.at("range"));
  }
  CHECK(ranges == std::vector<std::string>{"bytes=100000-", "bytes=200000-", "bytes=300000-"});
}

TEST_CASE("a server without ranges sends a cut blob again, and the bytes are right", "[registry]") {
  served_layout image;
  bool cut = false;
  http_server server([&](served_request request) {
    request.headers.erase("range");
    auto response = image.answer(request);
    if (request.target.ends_with(image.large_blob) && !std::exchange(cut, true)) response.cut_after = 77'777;
    return response;
  });
  CHECK(image.ingest(server.host()).has_value());
}

TEST_CASE("answers of 503 are tried again, but not for ever", "[registry]") {
  served_layout image;
  int failures = 3;
  http_server server([&](const served_request& request) {
    return failures-- > 0 ? served_response{503, {}, ""} : image.answer(request);
  });
  CHECK(image.ingest(server.host()).has_value());
  failures = 1000;
  const auto given_up = image.ingest(server.host(), 3);
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == errc::unavailable);
}

TEST_CASE("wrong bytes of a registry are refused", "[registry]") {
  served_layout image;
  http_server server([&](const served_request& request) {
    auto response = image.answer(request);
    if (request.target.ends_with(image.large_blob))
      response.body[1234] = static_cast<char>(response.body[1234] ^ 1);
    return response;
  });
  const auto wrong = image.ingest(server.host());
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == errc::corrupt);
}

TEST_CASE("a token is fetched from the token server, and again when it has run out", "[registry]") {
  served_layout image;
  int tokens = 0;
  http_server token_server([&](const served_request&) {
    return served_response{200, {}, R"({"token":"t)" + std::to_string(++tokens) + "\"}"};
  });
  const std::string demand = bearer_demand(token_server);
  http_server server([&](const served_request& request) {
    // The first token is good for texts only: it has run out when the blob is asked for.
    const bool blob = request.target.ends_with(image.large_blob);
    const bool good = has(request, "authorization", blob ? "Bearer t2" : "Bearer t1");
    return good ? image.answer(request) : served_response{401, {demand}, ""};
  });
  std::ofstream(image.folder.path() / "config.json")
      << R"({"auths":{")" << server.host() << R"(":{"username":"ann","password":"secret"}}})";
  CHECK(image.ingest(server.host()).has_value());
  CHECK(tokens == 2);
  const auto asked = token_server.requests();
  CHECK(asked.front().target == "/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull");
  CHECK(has(asked.front(), "authorization", "Basic YW5uOnNlY3JldA=="));
}

TEST_CASE("without a login a registry is read with a token that is asked for without one", "[registry]") {
  served_layout image;
  http_server token_server([](const served_request&) {
    return served_response{200, {}, R"({"token":"for-all","expires_in":300})"};
  });
  const std::string demand = bearer_demand(token_server);
  http_server server([&](const served_request& request) {
    return has(request, "authorization", "Bearer for-all") ? image.answer(request)
                                                           : served_response{401, {demand}, ""};
  });
  CHECK(image.ingest(server.host()).has_value());
  const auto asked = token_server.requests();
  REQUIRE(asked.size() == 1);
  CHECK(asked.front().method == "GET");
  CHECK(asked.front().target == "/token?service=reg&scope=repository%3Ateam%2Fapp%3Apull");
  CHECK_FALSE(asked.front().headers.contains("authorization"));
}

TEST_CASE("a token server that wants a login denies the image to who has none", "[registry]") {
  served_layout image;
  http_server token_server([](const served_request&) { return served_response{401, {}, ""}; });
  const std::string demand = bearer_demand(token_server);
  http_server server([&](const served_request&) { return served_response{401, {demand}, ""}; });
  const auto refused = image.ingest(server.host());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::denied);
  CHECK(refused.error().detail.find("docker login") != std::string::npos);
}

TEST_CASE("an identity token is posted to the token server, and no header or address has it", "[registry]") {
  served_layout image;
  http_server token_server([](const served_request&) {
    return served_response{200, {}, R"({"access_token":"of-ann"})"};
  });
  const std::string demand = bearer_demand(token_server);
  http_server server([&](const served_request& request) {
    return has(request, "authorization", "Bearer of-ann") ? image.answer(request)
                                                          : served_response{401, {demand}, ""};
  });
  std::ofstream(image.folder.path() / "config.json")
      << R"({"auths":{")" << server.host() << R"(":{"identitytoken":"who+she/is="}}})";
  CHECK(image.ingest(server.host()).has_value());
  const auto asked = token_server.requests();
  REQUIRE(asked.size() == 1);
  CHECK(asked.front().method == "POST");
  CHECK(asked.front().target == "/token");
  CHECK_FALSE(asked.front().headers.contains("authorization"));
  CHECK(has(asked.front(), "content-type", "application/x-www-form-urlencoded"));
  CHECK(asked.front().body ==
        "grant_type=refresh_token&client_id=firstlight&refresh_token=who%2Bshe%2Fis%3D"
        "&service=reg&scope=repository%3Ateam%2Fapp%3Apull");
}

TEST_CASE("a redirect to another origin does not get the authorisation", "[registry]") {
  served_layout image;
  http_server blobs([&](const served_request& request) { return image.answer(request); });
  http_server server([&](const served_request& request) -> served_response {
    if (!request.headers.contains("authorization")) return {401, {"WWW-Authenticate: Basic realm=\"x\""}, ""};
    if (request.target.find("/blobs/") == std::string::npos) return image.answer(request);
    return {307, {"Location: http://" + blobs.host() + request.target}, ""};
  });
  std::ofstream(image.folder.path() / "config.json")
      << R"({"auths":{")" << server.host() << R"(":{"auth":"YW5uOnNlY3JldA=="}}})";
  CHECK(image.ingest(server.host()).has_value());
  REQUIRE_FALSE(blobs.requests().empty());
  for (const auto& request : blobs.requests()) CHECK_FALSE(request.headers.contains("authorization"));
}

TEST_CASE("who a registry redirects to gets no login by demanding one", "[registry]") {
  served_layout image;
  std::string demand;
  http_server blobs([&](const served_request& request) {
    const bool token = request.target.starts_with("/token");
    return token ? served_response{200, {}, R"({"token":"t"})"} : served_response{401, {demand}, ""};
  });
  demand = bearer_demand(blobs);
  http_server server([&](const served_request& request) -> served_response {
    if (!request.headers.contains("authorization")) return {401, {"WWW-Authenticate: Basic realm=\"x\""}, ""};
    if (request.target.find("/blobs/") == std::string::npos) return image.answer(request);
    return {307, {"Location: http://" + blobs.host() + request.target}, ""};
  });
  std::ofstream(image.folder.path() / "config.json")
      << R"({"auths":{")" << server.host() << R"(":{"auth":"YW5uOnNlY3JldA=="}}})";
  const auto refused = image.ingest(server.host());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::denied);
  CHECK(refused.error().detail.find(blobs.host()) != std::string::npos);
  REQUIRE_FALSE(blobs.requests().empty());
  for (const auto& request : blobs.requests()) {
    CHECK_FALSE(request.headers.contains("authorization"));
    CHECK_FALSE(request.target.starts_with("/token"));
  }
}

TEST_CASE("a registry that asks for a longer pause than is waited is not asked again", "[registry]") {
  served_layout image;
  http_server server([](const served_request&) { return served_response{429, {"Retry-After: 3600"}, ""}; });
  const auto given_up = image.ingest(server.host());
  REQUIRE_FALSE(given_up);
  CHECK(given_up.error().code == errc::unavailable);
  CHECK(given_up.error().detail.find("wait 3600 s") != std::string::npos);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("a registry that asks for no pause is asked again", "[registry]") {
  served_layout image;
  int failures = 2;
  http_server server([&](const served_request& request) {
    return failures-- > 0 ? served_response{429, {"Retry-After: 0"}, ""} : image.answer(request);
  });
  CHECK(image.ingest(server.host()).has_value());
}

TEST_CASE("redirects in a circle end with an error", "[registry]") {
  served_layout image;
  http_server server([](const served_request& request) -> served_response {
    return {302, {"Location: " + request.target}, ""};
  });
  const auto lost = image.ingest(server.host());
  REQUIRE_FALSE(lost);
  CHECK(lost.error().code == errc::protocol);
}

}  // namespace firstlight
