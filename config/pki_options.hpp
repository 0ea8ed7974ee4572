#pragma once
#include <chrono>
#include <cstddef>

namespace firstlight {

/// How long certificates are valid. They begin `clock_skew` before they are made.
struct pki_options {
  std::chrono::hours ca_validity{24 * 3650};
  std::chrono::hours certificate_validity{24 * 825};
  std::chrono::minutes clock_skew{60};
};

/// Of one certificate as PEM text; ours have less than 1 KiB.
inline constexpr std::size_t certificate_bytes_max = 16 * 1024;

}  // namespace firstlight
