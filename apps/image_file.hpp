#pragma once
#include <string>

#include "model/result.hpp"

namespace firstlight {

/// Reads a file of a mounted image as its programs would see it: links are followed inside `root` only.
/// A file that is not there is empty. Errors: `io`, `limit_exceeded` above 1 MiB.
[[nodiscard]] result<std::string> read_image_file(const std::string& root, const std::string& path);

}  // namespace firstlight
