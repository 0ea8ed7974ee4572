#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "config/login_options.hpp"
#include "model/result.hpp"

namespace firstlight {

/// One program of kubelet's CredentialProviderConfig.
struct credential_provider {
  std::string name;                             ///< of the program, in the providers' folder
  std::vector<std::string> match_images;        ///< model/registry_pattern.hpp
  std::chrono::milliseconds cache_duration{0};  ///< where an answer says none
  std::string api_version;                      ///< in which it is spoken to
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
};

/// Reads a CredentialProviderConfig (kubelet.config.k8s.io/v1, v1beta1, v1alpha1; YAML or JSON).
/// Errors: `corrupt` naming what is wrong, `unsupported` for providers that want a pod's service-account
/// token, `limit_exceeded`.
[[nodiscard]] result<std::vector<credential_provider>> parse_provider_config(const std::string& text,
                                                                             const login_options& limits);

/// A duration as Go writes it: "12h", "1h30m0s", "1.5s", "0". Errors: `corrupt`.
[[nodiscard]] result<std::chrono::milliseconds> parse_go_duration(std::string_view text);

}  // namespace firstlight
