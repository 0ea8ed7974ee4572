#include "logins/provider_answer.hpp"

#include "logins/login_json.hpp"
#include "logins/provider_config.hpp"

namespace firstlight {
namespace {

using detail::json;

result<answer_scope> scope_of(const std::string& type) {
  if (type == "Image") return answer_scope::image;
  if (type == "Registry") return answer_scope::registry;
  if (type == "Global") return answer_scope::global;
  return fail(errc::corrupt, "its cacheKeyType is none of Image, Registry, Global");
}

result<provider_answer> read_answer(json& said, const std::string& api_version) {
  if (detail::text_member(said, "kind") != "CredentialProviderResponse" ||
      detail::text_member(said, "apiVersion") != api_version)
    return fail(errc::corrupt, "it is no CredentialProviderResponse of " + api_version);
  const auto scope = scope_of(detail::text_member(said, "cacheKeyType"));
  if (!scope) return tl::unexpected(scope.error());
  provider_answer answer;
  answer.scope = *scope;
  if (const auto duration = detail::text_member(said, "cacheDuration"); !duration.empty()) {
    const auto parsed = parse_go_duration(duration);
    if (!parsed) return fail(parsed.error(), "its cacheDuration");
    answer.cache_duration = *parsed;
  }
  const auto auth = said.find("auth");
  if (auth == said.end() || !auth->is_object()) return answer;
  for (auto& [pattern, entry] : auth->items()) {
    registry_login login{
        detail::text_member(entry, "username"), detail::secret_member(entry, "password"), {}, {}};
    answer.patterns.push_back(pattern);
    answer.logins.push_back(std::make_shared<const registry_login>(std::move(login)));
  }
  return answer;
}

}  // namespace

std::string provider_question(const std::string& api_version, const std::string& image) {
  return json{{"kind", "CredentialProviderRequest"}, {"apiVersion", api_version}, {"image", image}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

result<provider_answer> parse_provider_answer(std::string_view text, const std::string& api_version) {
  auto said = detail::parse_json_object(text, "its answer");
  if (!said) return tl::unexpected(said.error());
  auto answer = read_answer(*said, api_version);
  detail::wipe_texts(*said);
  return answer;
}

}  // namespace firstlight
