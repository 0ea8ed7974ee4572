#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "model/registry_login.hpp"
#include "model/result.hpp"

namespace firstlight {

/// For which images an answer counts.
enum class answer_scope : std::uint8_t { image, registry, global };

/// What a credential provider says (CredentialProviderResponse).
struct provider_answer {
  answer_scope scope = answer_scope::image;
  std::optional<std::chrono::milliseconds> cache_duration;  ///< none: as configured
  std::vector<std::string> patterns;                        ///< model/registry_pattern.hpp
  std::vector<shared_login> logins;                         ///< one for each pattern
};

/// The question (CredentialProviderRequest) for an image, host/repository.
[[nodiscard]] std::string provider_question(const std::string& api_version, const std::string& image);

/// Reads the answer. Errors: `corrupt` naming what is wrong, never with a secret.
[[nodiscard]] result<provider_answer> parse_provider_answer(std::string_view text,
                                                            const std::string& api_version);

}  // namespace firstlight
