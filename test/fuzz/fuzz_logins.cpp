// What says how to log in: kubelet's file of credential providers, what these answer, patterns, and the pull
// secrets of a request.
#include <cstdlib>

#include "logins/docker_logins.hpp"
#include "logins/provider_answer.hpp"
#include "logins/provider_config.hpp"
#include "model/registry_pattern.hpp"
#include "test/fuzz/fuzz_entry.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace firstlight;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_provider_config(text, {}));
  if (const auto answer = parse_provider_answer(text, "credentialprovider.kubelet.k8s.io/v1"))
    if (answer->patterns.size() != answer->logins.size()) std::abort();
  static_cast<void>(login_of_auth(text));
  const auto half = text.size() / 2;
  const std::vector<std::string> patterns{text.substr(0, half)};
  if (pattern_matches(patterns.front(), text.substr(half)) && best_pattern(patterns, text.substr(half)) != 0)
    std::abort();
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {
      "apiVersion: kubelet.config.k8s.io/v1\nkind: CredentialProviderConfig\nproviders:\n- name: ecr\n"
      "  matchImages: ['*.amazonaws.com']\n  defaultCacheDuration: 12h\n"
      "  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  args: [get]\n  env: [{name: A, value: b}]\n",
      R"({"kind":"CredentialProviderResponse","apiVersion":"credentialprovider.kubelet.k8s.io/v1",)"
      R"("cacheKeyType":"Registry","cacheDuration":"1h30m","auth":{"*.example":{"username":"u","password":"p"}}})",
      "dXNlcjpzZWNyZXQ=",
      "*.registry.example:5000/patha.registry.example:5000/path/app",
  };
}
