#include "logins/provider_logins.hpp"

#include <algorithm>

#include "logins/helper_program.hpp"
#include "logins/small_file.hpp"
#include "model/registry_pattern.hpp"

namespace firstlight {
namespace {

std::string kept_for(const std::string& provider, answer_scope scope, const std::string& image) {
  switch (scope) {
    case answer_scope::image:
      return provider + " image " + image;
    case answer_scope::registry:
      return provider + " registry " + image.substr(0, image.find('/'));
    case answer_scope::global:
      break;
  }
  return provider + " global";
}

shared_login login_in(const provider_answer& answer, const std::string& image) {
  const auto best = best_pattern(answer.patterns, image);
  return best == answer.patterns.size() ? shared_login{} : answer.logins[best];
}

bool suits(const credential_provider& provider, const std::string& image) {
  return std::any_of(provider.match_images.begin(), provider.match_images.end(),
                     [&](const auto& pattern) { return pattern_matches(pattern, image); });
}

}  // namespace

std::optional<shared_login> provider_logins::from_kept(const std::string& provider, const std::string& image,
                                                       instant now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [&](const auto& one) { return one.second.until <= now; });
  for (const auto scope : {answer_scope::image, answer_scope::registry, answer_scope::global})
    if (const auto found = kept_.find(kept_for(provider, scope, image)); found != kept_.end())
      return login_in(found->second.answer, image);
  return std::nullopt;
}

void provider_logins::keep(const credential_provider& provider, const std::string& image,
                           const provider_answer& answer, instant now) {
  const auto duration = answer.cache_duration.value_or(provider.cache_duration);
  if (duration.count() == 0) return;
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= options_.provided_max) kept_.clear();
  kept_.insert_or_assign(kept_for(provider.name, answer.scope, image), kept{answer, now + duration});
}

result<shared_login> provider_logins::ask(const credential_provider& provider, const std::string& image,
                                          const helper_limits& limits, instant now) {
  if (const auto known = from_kept(provider.name, image, now)) return *known;
  auto said = ask_helper(
      {(options_.provider_folder / provider.name).string(), provider.arguments, provider.environment},
      provider_question(provider.api_version, image), limits);
  if (!said) return tl::unexpected(said.error());
  auto answer =
      said->exit_code == 0
          ? parse_provider_answer(said->output, provider.api_version)
          : result<provider_answer>(fail(errc::denied, "it ends with " + std::to_string(said->exit_code)));
  wipe(said->output);
  if (!answer) return fail(answer.error(), "credential provider " + provider.name);
  keep(provider, image, *answer, now);
  return login_in(*answer, image);
}

result<shared_login> provider_logins::find(const std::string& image, instant now) {
  if (options_.provider_config.empty()) return shared_login{};
  const auto text = read_small_file(options_.provider_config, options_.config_bytes_max);
  if (!text) return tl::unexpected(text.error());
  if (!*text)
    return fail(errc::not_found,
                options_.provider_config.string() + " is not there (logins.provider_config)");
  const auto providers = parse_provider_config(**text, options_);
  if (!providers) return fail(providers.error(), options_.provider_config.string());
  result<shared_login> found = shared_login{};
  const auto end = std::chrono::steady_clock::now() + options_.provider.timeout;
  for (const auto& provider : *providers) {
    if (!suits(provider, image)) continue;
    auto limits = options_.provider;  // of all of them together
    limits.timeout =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (limits.timeout.count() <= 0)
      return fail(errc::timed_out, "logins.provider_timeout: not all credential providers have answered");
    auto asked = ask(provider, image, limits, now);
    if (asked && *asked) return asked;
    if (!asked) found = std::move(asked);
  }
  return found;
}

}  // namespace firstlight
