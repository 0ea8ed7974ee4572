#include "logins/provider_config.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace firstlight {
namespace {

constexpr std::array config_versions{"kubelet.config.k8s.io/v1", "kubelet.config.k8s.io/v1beta1",
                                     "kubelet.config.k8s.io/v1alpha1"};
constexpr std::array provider_versions{"credentialprovider.kubelet.k8s.io/v1",
                                       "credentialprovider.kubelet.k8s.io/v1beta1",
                                       "credentialprovider.kubelet.k8s.io/v1alpha1"};
constexpr double milliseconds_max = 1e12;  // some decades

std::string text(const YAML::Node& node, const char* name) {
  const auto member = node[name];
  return member && member.IsScalar() ? member.Scalar() : std::string{};
}

std::vector<std::string> texts(const YAML::Node& node, const char* name) {
  std::vector<std::string> all;
  for (const auto& one : node[name]) all.push_back(one.as<std::string>());
  return all;
}

template <std::size_t Count>
bool is_one_of(const std::array<const char*, Count>& known, const std::string& version) {
  return std::find(known.begin(), known.end(), version) != known.end();
}

result<credential_provider> read_provider(const YAML::Node& node) {
  credential_provider provider{.name = text(node, "name"),
                               .match_images = texts(node, "matchImages"),
                               .api_version = text(node, "apiVersion"),
                               .arguments = texts(node, "args")};
  const auto& name = provider.name;
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    return fail(errc::corrupt, "a provider's name must be that of a program, without '/'");
  if (provider.match_images.empty()) return fail(errc::corrupt, "provider " + name + " has no matchImages");
  if (!is_one_of(provider_versions, provider.api_version))
    return fail(errc::corrupt,
                "provider " + name + ": apiVersion '" + provider.api_version + "' is not known");
  if (node["tokenAttributes"])
    return fail(
        errc::unsupported,
        "provider " + name + " wants tokens of service accounts (tokenAttributes), which only kubelet has");
  const auto duration = parse_go_duration(text(node, "defaultCacheDuration"));
  if (!duration) return fail(duration.error(), "provider " + name + ": defaultCacheDuration");
  provider.cache_duration = *duration;
  for (const auto& one : node["env"])
    provider.environment.emplace_back(text(one, "name"), text(one, "value"));
  return provider;
}

result<std::vector<credential_provider>> read_config(const YAML::Node& root, const login_options& limits) {
  if (!root.IsMap() || text(root, "kind") != "CredentialProviderConfig" ||
      !is_one_of(config_versions, text(root, "apiVersion")))
    return fail(errc::corrupt, "it is no CredentialProviderConfig of kubelet.config.k8s.io/v1");
  std::vector<credential_provider> providers;
  for (const auto& one : root["providers"]) {
    if (providers.size() == limits.providers_max) return fail(errc::limit_exceeded, "providers_max");
    auto provider = read_provider(one);
    if (!provider) return tl::unexpected(provider.error());
    providers.push_back(std::move(*provider));
  }
  return providers;
}

/// Milliseconds of a unit at the start of the text, which goes; 0: there is none.
double take_unit(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, double>, 7> units{
      {{"ns", 1e-6}, {"us", 1e-3}, {"\u00b5s", 1e-3}, {"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}}};
  for (const auto& [name, milliseconds] : units) {
    if (!text.starts_with(name)) continue;
    text.remove_prefix(name.size());
    return milliseconds;
  }
  return 0;
}

}  // namespace

result<std::chrono::milliseconds> parse_go_duration(std::string_view whole) {
  if (whole == "0") return std::chrono::milliseconds(0);
  const auto refused = [&] {
    return fail(errc::corrupt, "'" + std::string(whole) + "' is no duration such as 12h");
  };
  if (whole.empty() || whole.size() > 64) return refused();
  double sum = 0;
  for (auto text = whole; !text.empty();) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string number(text.substr(0, digits));
    if (number.empty() || number == "." || std::count(number.begin(), number.end(), '.') > 1)
      return refused();
    text.remove_prefix(digits);
    const double unit = take_unit(text);
    if (unit == 0) return refused();
    sum += std::strtod(number.c_str(), nullptr) * unit;
  }
  if (sum > milliseconds_max) return refused();
  return std::chrono::milliseconds(std::llround(sum));
}

result<std::vector<credential_provider>> parse_provider_config(const std::string& text,
                                                               const login_options& limits) {
  try {
    return read_config(YAML::Load(text), limits);
  } catch (const YAML::Exception& problem) {
    return fail(errc::corrupt, "line " + std::to_string(problem.mark.line + 1) + ": " + problem.msg);
  }
}

}  // namespace firstlight
