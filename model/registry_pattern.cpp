#include "model/registry_pattern.hpp"

#include <algorithm>

namespace firstlight {
namespace {

struct parts {
  std::string_view host;
  std::string_view port;
  std::string_view path;  ///< with its leading '/', or empty
};

std::string_view without_scheme(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (text.starts_with(scheme)) return text.substr(scheme.size());
  return text;
}

parts split(std::string_view text) {
  text = without_scheme(text);
  const auto slash = std::min(text.find('/'), text.size());
  auto path = text.substr(slash);
  for (const std::string_view version : {"/v1/", "/v2/"})
    if (path.starts_with(version)) path.remove_prefix(version.size() - 1);
  if (path == "/" || path == "/v1" || path == "/v2") path = {};
  const auto authority = text.substr(0, slash);
  const auto colon = std::min(authority.find(':'), authority.size());
  return {authority.substr(0, colon), authority.substr(colon), path};
}

bool label_matches(std::string_view pattern, std::string_view label) {
  std::size_t p = 0;
  std::size_t l = 0;
  std::size_t star = std::string_view::npos;
  std::size_t matched_to = 0;
  while (l < label.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      matched_to = l;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == label[l])) {
      ++p;
      ++l;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      l = ++matched_to;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool host_matches(std::string_view pattern, std::string_view host) {
  while (true) {
    const auto end = std::min(pattern.find('.'), pattern.size());
    const auto host_end = std::min(host.find('.'), host.size());
    if (!label_matches(pattern.substr(0, end), host.substr(0, host_end))) return false;
    if (end == pattern.size() || host_end == host.size())
      return end == pattern.size() && host_end == host.size();
    pattern.remove_prefix(end + 1);
    host.remove_prefix(host_end + 1);
  }
}

std::string normal(std::string_view pattern) {
  const auto said = split(pattern);
  return std::string(said.host).append(said.port).append(said.path);
}

}  // namespace

bool pattern_matches(std::string_view pattern, std::string_view image) {
  const auto wanted = split(pattern);
  const auto given = split(image);
  return wanted.port == given.port && given.path.starts_with(wanted.path) &&
         host_matches(wanted.host, given.host);
}

std::size_t best_pattern(const std::vector<std::string>& patterns, std::string_view image) {
  std::size_t best = patterns.size();
  const auto consider = [&](auto&& suits) {
    for (std::size_t i = 0; i < patterns.size(); ++i)
      if (suits(patterns[i]) && (best == patterns.size() || normal(patterns[best]) < normal(patterns[i])))
        best = i;
  };
  consider([&](const std::string& pattern) { return pattern_matches(pattern, image); });
  if (best == patterns.size() && registry_of_server(image) == "docker.io")
    consider([](const std::string& pattern) { return registry_of_server(pattern) == "docker.io"; });
  return best;
}

std::string registry_of_server(std::string_view server) {
  const auto said = split(server);
  const auto host = std::string(said.host).append(said.port);
  return host == "index.docker.io" || host == "registry-1.docker.io" ? "docker.io" : host;
}

}  // namespace firstlight
