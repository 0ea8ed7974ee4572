#include "storage/oci/registry_auth.hpp"

#include <algorithm>

#include "logins/docker_logins.hpp"
#include "model/base64.hpp"
#include "schemas/json.hpp"
#include "storage/oci/auth_challenge.hpp"
#include "storage/oci/file_source.hpp"

namespace firstlight {
namespace {

std::string parameter(const std::map<std::string, std::string>& all, const char* name) {
  const auto found = all.find(name);
  return found == all.end() ? std::string{} : found->second;
}

std::string authority_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return {};
  const auto rest = url.substr(begin + 3);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  return authority.substr(authority.rfind('@') == std::string::npos ? 0 : authority.rfind('@') + 1);
}

std::string basic(const registry_login& login) {
  std::string pair = login.user + ":";
  pair += login.password.view();
  auto header = "Authorization: Basic " + base64_encode(pair);
  wipe(pair);
  return header;
}

// A token goes into a header as it is: it must not end the line.
bool is_clean(const std::string& token) {
  return !token.empty() &&
         std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

bool is_plain_http(const std::string& host, const source_options& options) {
  const auto& allowed = options.plain_http_hosts;
  const bool own_machine = is_loopback(host) && options.registry.ca_file.empty();
  return own_machine || std::find(allowed.begin(), allowed.end(), host) != allowed.end();
}

result<void> check_transport(const std::string& url, const source_options& options) {
  const std::string origin = origin_of(url);
  if (origin.starts_with("https://")) return {};
  const std::string host = authority_of(url);
  if (origin.starts_with("http://") && is_plain_http(host, options)) return {};
  return fail(errc::failed_precondition,
              host + " would be spoken to without TLS; name it in plain_http_hosts to allow that");
}

registry_auth::registry_auth(std::string registry_host, std::string repository, const source_options& options)
    : host_(std::move(registry_host)),
      repository_(std::move(repository)),
      scope_("repository:" + repository_ + ":pull"),
      options_(options) {}

result<shared_login> registry_auth::find_login() const {
  const bool given = options_.login != login_of::hub && options_.caller_login;
  if (given || options_.login == login_of::caller) return options_.caller_login;
  auto found = find_docker_login({.config_file = options_.docker_config,
                                  .config_bytes_max = options_.registry.token_bytes_max,
                                  .helper = {.timeout = options_.registry.credential_helper_timeout,
                                             .answer_bytes_max = options_.registry.token_bytes_max}},
                                 host_, repository_);
  if (!found) return tl::unexpected(found.error());
  return *found ? std::make_shared<const registry_login>(std::move(**found)) : shared_login{};
}

result<void> registry_auth::answer(const http_head& demand) {
  const auth_challenge* wanted = nullptr;
  std::vector<auth_challenge> challenges;
  for (const auto& [name, value] : demand.headers) {
    if (name != "www-authenticate") continue;
    for (auto& challenge : parse_auth_challenges(value)) challenges.push_back(std::move(challenge));
  }
  for (const auto& challenge : challenges) {
    if (challenge.scheme == "bearer") return fetch_token(challenge.parameters);
    if (challenge.scheme == "basic") wanted = &challenge;
  }
  if (wanted != nullptr) return use_basic();
  return fail(errc::unsupported, host_ + " asks for a login of a kind that is not known");
}

result<void> registry_auth::use_basic() {
  const auto login = find_login();
  if (!login) return tl::unexpected(login.error());
  if (!*login)
    return fail(errc::denied, host_ + " asks for a login; run 'docker login " + host_ + "' or the like");
  header_ = basic(**login);
  return {};
}

http_request registry_auth::token_request(const std::map<std::string, std::string>& parameters,
                                          const shared_login& login) const {
  http_request request;
  request.small = true;
  request.url = parameter(parameters, "realm");
  const std::string service = parameter(parameters, "service");
  const std::string asked = parameter(parameters, "scope");
  const std::string query =
      "service=" + url_encode(service) + "&scope=" + url_encode(asked.empty() ? scope_ : asked);
  if (login && !login->identity_token.empty()) {
    request.method = "POST";
    request.headers.emplace_back("Content-Type: application/x-www-form-urlencoded");
    request.body = "grant_type=refresh_token&client_id=firstlight&refresh_token=" +
                   url_encode(std::string(login->identity_token.view())) + "&" + query;
    return request;
  }
  request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + query;
  if (login) request.headers.push_back(basic(*login));
  return request;
}

result<void> registry_auth::fetch_token(const std::map<std::string, std::string>& parameters) {
  const auto login = find_login();
  if (!login) return tl::unexpected(login.error());
  if (*login && !(*login)->registry_token.empty())
    return use_token(std::string((*login)->registry_token.view()));
  const http_request request = token_request(parameters, *login);
  if (auto ok = check_transport(request.url, options_); !ok)
    return fail(ok.error(), "token server of " + host_);
  auto answer = http_stream::open(request, options_.registry);
  if (!answer) return fail(answer.error(), "token server of " + host_);
  const long status = (*answer)->head().status;
  if (status == 429 || status >= 500) {
    return fail(errc::unavailable, "token server of " + host_ + " answers " + std::to_string(status));
  }
  if (status != 200) {
    return fail(errc::denied, host_ + " refuses access (its token server answers " + std::to_string(status) +
                                  "); check the name, or log in with 'docker login " + host_ + "'");
  }
  auto text = read_all(**answer, options_.registry.token_bytes_max, "token_bytes_max");
  if (!text) return fail(text.error(), "token server of " + host_);
  auto parsed = detail::parse_json_object(*text, "the token server's answer");
  if (!parsed) return tl::unexpected(parsed.error());
  std::string token = detail::text_member(*parsed, "token");
  if (token.empty()) token = detail::text_member(*parsed, "access_token");
  return use_token(token);
}

result<void> registry_auth::use_token(const std::string& token) {
  if (!is_clean(token)) return fail(errc::corrupt, "what " + host_ + " is to be asked with is no token");
  header_ = "Authorization: Bearer " + token;
  return {};
}

}  // namespace firstlight
