#pragma once
#include <string_view>

#include "model/image_config.hpp"

namespace firstlight {

/// Reads an image configuration (OCI or Docker). Fields that are missing or null keep their defaults.
/// Errors: `corrupt` for text that is no such object, `unsupported` for diff ids that are not SHA-256.
[[nodiscard]] result<image_config> parse_image_config(std::string_view json);

}  // namespace firstlight
