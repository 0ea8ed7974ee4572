#include "logins/docker_logins.hpp"

#include <cstdlib>

#include "logins/credential_helper.hpp"
#include "logins/login_json.hpp"
#include "logins/small_file.hpp"
#include "model/base64.hpp"
#include "model/registry_pattern.hpp"

namespace firstlight {
namespace {

using detail::json;
using found_login = result<std::optional<registry_login>>;

constexpr const char* hub_server = "https://index.docker.io/v1/";

std::filesystem::path default_config() {
  if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != 0)
    return std::filesystem::path(folder) / "config.json";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home != nullptr ? home : "/root") / ".docker" / "config.json";
}

std::string server_name(const std::string& host) {
  return host == "docker.io" ? hub_server : host;
}

found_login from_entry(json& entry) {
  registry_login found{.user = detail::text_member(entry, "username"),
                       .password = detail::secret_member(entry, "password"),
                       .identity_token = detail::secret_member(entry, "identitytoken"),
                       .registry_token = detail::secret_member(entry, "registrytoken")};
  if (const auto auth = detail::secret_member(entry, "auth"); !auth.empty()) {
    auto pair = login_of_auth(auth.view());
    if (!pair) return tl::unexpected(pair.error());
    found.user = std::move(pair->user);
    found.password = std::move(pair->password);
  }
  if (is_empty(found)) return std::optional<registry_login>{};
  return found;
}

/// How much of the image's name an entry says; 0: it is for another. "https://host/v1/" and "host" mean the
/// same.
std::size_t said_by(const std::string& server, const std::string& host, const std::string& image) {
  if (server.find("://") != std::string::npos || server.find('/') == std::string::npos)
    return registry_of_server(server) == host ? 1 : 0;
  const bool above =
      image.starts_with(server) && (image.size() == server.size() || image[server.size()] == '/');
  return above ? 1 + server.size() : 0;
}

found_login from_file(json& config, const std::string& host, const std::string& repository) {
  const auto auths = config.find("auths");
  if (auths == config.end() || !auths->is_object()) return std::optional<registry_login>{};
  const auto image = host + "/" + repository;
  json* best = nullptr;
  std::size_t most = 0;
  for (auto& [server, entry] : auths->items()) {
    const auto said = said_by(server, host, image);
    if (said <= most) continue;
    most = said;
    best = &entry;
  }
  if (best == nullptr) return std::optional<registry_login>{};
  return from_entry(*best);
}

std::string helper_of(const json& config, const std::string& host) {
  const json& own = detail::member(config, "credHelpers");
  auto helper = detail::text_member(own, server_name(host).c_str());
  if (helper.empty()) helper = detail::text_member(own, host.c_str());
  return helper.empty() ? detail::text_member(config, "credsStore") : helper;
}

found_login look_up(json& config, const docker_login_source& source, const std::string& host,
                    const std::string& repository) {
  if (const auto helper = helper_of(config, host); !helper.empty()) {
    auto found = ask_credential_helper(helper, server_name(host), source.helper);
    if (!found || *found) return found;
  }
  return from_file(config, host, repository);
}

}  // namespace

result<registry_login> login_of_auth(std::string_view auth) {
  auto pair = base64_decode(auth);
  const auto colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    if (pair) wipe(*pair);
    return fail(errc::corrupt, "an 'auth' is not base64 of user:password");
  }
  std::string_view password = std::string_view(*pair).substr(colon + 1);
  while (!password.empty() && password.back() == '\0') password.remove_suffix(1);
  registry_login login{pair->substr(0, colon), secret_text(password), {}, {}};
  wipe(*pair);
  return login;
}

found_login find_docker_login(const docker_login_source& source, const std::string& registry_host,
                              const std::string& repository) {
  const auto path = source.config_file.empty() ? default_config() : source.config_file;
  auto text = read_small_file(path, source.config_bytes_max);
  if (!text) return tl::unexpected(text.error());
  if (!*text) return std::optional<registry_login>{};
  auto config = detail::parse_json_object(**text, path.string());
  wipe(**text);
  if (!config) return tl::unexpected(config.error());
  auto found = look_up(*config, source, registry_host, repository);
  detail::wipe_texts(*config);
  if (!found) return fail(found.error(), path.string());
  return found;
}

}  // namespace firstlight
