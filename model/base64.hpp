#pragma once
#include <string>
#include <string_view>

#include "model/result.hpp"

namespace firstlight {

/// Base64 as in RFC 4648 with padding.
[[nodiscard]] std::string base64_encode(std::string_view text);
/// Errors: `corrupt`.
[[nodiscard]] result<std::string> base64_decode(std::string_view text);

}  // namespace firstlight
