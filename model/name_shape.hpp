#pragma once
#include <string>
#include <string_view>

namespace firstlight {

/// The text with each version number ("1.2.3") replaced by one '#': equal for "libfoo.so.1.2.3" and
/// "libfoo.so.1.3".
[[nodiscard]] std::string without_versions(std::string_view text);

/// A path whose last name has lost its version numbers: "usr/lib/libfoo.so.#".
[[nodiscard]] std::string with_plain_name(std::string_view path);

/// The last name of a path: "libfoo.so.1" of "usr/lib/libfoo.so.1".
[[nodiscard]] std::string_view base_name(std::string_view path);

}  // namespace firstlight
