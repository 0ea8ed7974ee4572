#pragma once
#include <string>

#include "model/result.hpp"

namespace firstlight {

/// A path as a daemon with another working directory needs it. Errors: `io`.
[[nodiscard]] result<std::string> absolute_path(const std::string& path);

/// A reference whose path, if it has one ("oci:DIR[:TAG]", "oci-archive:FILE", "docker-archive:FILE"), is
/// absolute. Errors: `invalid_argument` for what is no reference, `io`.
[[nodiscard]] result<std::string> absolute_reference(const std::string& reference);

}  // namespace firstlight
