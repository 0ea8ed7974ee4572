#include "storage/oci/docker_credentials.hpp"

#include <openssl/evp.h>

#include <cstdlib>

#include "schemas/json.hpp"
#include "storage/oci/credential_helper.hpp"
#include "storage/oci/file_source.hpp"

namespace firstlight {
namespace {

using detail::json;
using found_credentials = result<std::optional<registry_credentials>>;

constexpr const char* hub_server = "https://index.docker.io/v1/";

std::filesystem::path default_config() {
  if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != 0) {
    return std::filesystem::path(folder) / "config.json";
  }
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/root") / ".docker" / "config.json";
}

std::string server_name(const std::string& host) {
  return host == "docker.io" ? hub_server : host;
}

// "https://host/v1/" and "host" mean the same registry.
std::string host_of(std::string server) {
  if (const auto scheme = server.find("://"); scheme != std::string::npos) server = server.substr(scheme + 3);
  server = server.substr(0, server.find('/'));
  return server == "index.docker.io" || server == "registry-1.docker.io" ? "docker.io" : server;
}

found_credentials from_entry(const json& entry) {
  registry_credentials found{.user = detail::text_member(entry, "username"),
                             .secret = detail::text_member(entry, "password"),
                             .identity_token = detail::text_member(entry, "identitytoken")};
  if (const std::string auth = detail::text_member(entry, "auth"); !auth.empty()) {
    auto pair = base64_decode(auth);
    const auto colon = pair ? pair->find(':') : std::string::npos;
    if (colon == std::string::npos) return fail(errc::corrupt, "an 'auth' is not base64 of user:password");
    found.user = pair->substr(0, colon);
    found.secret = pair->substr(colon + 1);
    while (!found.secret.empty() && found.secret.back() == '\0') found.secret.pop_back();
  }
  if (found == registry_credentials{}) return std::optional<registry_credentials>{};
  return found;
}

found_credentials from_file(const json& config, const std::string& host) {
  const json& auths = detail::member(config, "auths");
  if (!auths.is_object()) return std::optional<registry_credentials>{};
  for (const auto& [server, entry] : auths.items()) {
    if (host_of(server) == host_of(host)) return from_entry(entry);
  }
  return std::optional<registry_credentials>{};
}

result<std::optional<json>> read_config(const std::filesystem::path& path, std::uint32_t bytes_max) {
  auto file = open_regular(path.string());
  if (!file && file.error().code == errc::not_found) return std::optional<json>{};
  if (!file) return tl::unexpected(file.error());
  file_source source(file->file, path.string(), 0, file->size);
  auto text = read_all(source, bytes_max, path.string() + " is too large");
  if (!text) return tl::unexpected(text.error());
  auto parsed = detail::parse_json_object(*text, path.string());
  if (!parsed) return tl::unexpected(parsed.error());
  return std::move(*parsed);
}

}  // namespace

found_credentials find_credentials(const std::filesystem::path& config_file, const std::string& registry_host,
                                   const registry_limits& limits) {
  const auto path = config_file.empty() ? default_config() : config_file;
  auto config = read_config(path, limits.token_bytes_max);
  if (!config) return tl::unexpected(config.error());
  if (!*config) return std::optional<registry_credentials>{};
  const std::string server = server_name(registry_host);
  std::string helper = detail::text_member(detail::member(**config, "credHelpers"), server.c_str());
  if (helper.empty()) {
    helper = detail::text_member(detail::member(**config, "credHelpers"), registry_host.c_str());
  }
  if (helper.empty()) helper = detail::text_member(**config, "credsStore");
  if (!helper.empty()) {
    auto found = ask_credential_helper(helper, server, limits);
    if (!found || *found) return found;
  }
  auto found = from_file(**config, registry_host);
  if (!found) return fail(found.error(), path.string());
  return found;
}

std::string base64_encode(std::string_view text) {
  std::string encoded(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return encoded;
}

result<std::string> base64_decode(std::string_view text) {
  if (text.empty()) return std::string{};
  if (text.size() % 4 != 0) return fail(errc::corrupt, "not base64");
  std::string decoded(text.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(decoded.data()),
                      reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return fail(errc::corrupt, "not base64");
  decoded.resize(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < 2 && text[text.size() - 1 - i] == '='; ++i) decoded.pop_back();
  return decoded;
}

}  // namespace firstlight
