#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace firstlight {

/// One demand of a WWW-Authenticate header: 'Bearer realm="https://...",service="..."'.
struct auth_challenge {
  std::string scheme;                             ///< lower case: "basic", "bearer"
  std::map<std::string, std::string> parameters;  ///< names in lower case
  friend bool operator==(const auth_challenge&, const auth_challenge&) = default;
};

/// All demands in one header value; what is malformed is left out.
[[nodiscard]] std::vector<auth_challenge> parse_auth_challenges(std::string_view header);

}  // namespace firstlight
