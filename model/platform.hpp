#pragma once
#include <string>
#include <string_view>

#include "model/result.hpp"

namespace firstlight {

/// What an image is built for, in the words of Go: "linux/amd64", "linux/arm64/v8".
struct platform {
  std::string os = "linux";
  std::string architecture;
  std::string variant;  ///< may be empty
  friend bool operator==(const platform&, const platform&) = default;

  /// "os/architecture" or "os/architecture/variant".
  [[nodiscard]] std::string text() const;
};

/// What this program was compiled for.
[[nodiscard]] platform host_platform();

/// Reads "os/architecture[/variant]"; "" is the host. Errors: `invalid_argument`.
[[nodiscard]] result<platform> parse_platform(std::string_view text);

/// How well an offered image suits the wanted platform: 0 not at all, higher is better. An image without
/// a variant suits any; arm64 means arm64/v8.
[[nodiscard]] int suitability(const platform& offered, const platform& wanted);

}  // namespace firstlight
