#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// Which images a login is for, as kubelet and Docker's config say it: `host[:port][/path]`, where each label
/// of the host may have `*` and `?`, which match within that label only; the port must be equal, the path is
/// a prefix. A scheme and the `/v1/` or `/v2/` of old logins before the path do not count.

/// Whether `image` (host/repository, without tag) is one of those that the pattern means.
[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view image);

/// The pattern of those that says most of `image`: kubelet takes them in the reverse order of their texts.
/// What is meant for Docker's own registry under its old name counts, too, and last. @returns its index, or
/// `patterns.size()`
[[nodiscard]] std::size_t best_pattern(const std::vector<std::string>& patterns, std::string_view image);

/// The login of one registry under all its names: "https://index.docker.io/v1/" is "docker.io".
[[nodiscard]] std::string registry_of_server(std::string_view server);

}  // namespace firstlight
