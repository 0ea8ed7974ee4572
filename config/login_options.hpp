#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>

namespace firstlight {

/// Bounds of programs that give logins: Docker's credential helpers, kubelet's credential providers.
struct helper_limits {
  std::chrono::milliseconds timeout{10'000};   ///< from its start to its end
  std::uint32_t answer_bytes_max = 1U << 20U;  ///< of what it prints
};

/// Where a node finds the logins that it sends with its pulls.
struct login_options {
  std::filesystem::path docker_config;    ///< empty: $DOCKER_CONFIG, then ~/.docker
  std::filesystem::path provider_config;  ///< kubelet's CredentialProviderConfig; empty: none
  std::filesystem::path provider_folder;  ///< of the providers' programs
  helper_limits helper;
  helper_limits provider{.timeout = std::chrono::milliseconds(20'000)};  ///< of all that are asked together
  std::chrono::milliseconds request_time{3'600'000};  ///< a login that came with a request counts for so long
  std::uint32_t requests_max = 1024;                  ///< such logins, by repository; the oldest go
  std::uint32_t provided_max = 1024;                  ///< answers of providers that are kept
  std::uint32_t providers_max = 64;                   ///< in one file
  std::uint32_t config_bytes_max = 1U << 20U;         ///< of Docker's and the providers' files
};

}  // namespace firstlight
