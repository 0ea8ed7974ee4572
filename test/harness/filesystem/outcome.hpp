#pragma once
#include <cstdint>
#include <string>

namespace firstlight::fstest {

/// What a program sees of one operation.
struct outcome {
  int error = 0;  ///< errno
  std::int64_t value = 0;
  std::string data;
  friend bool operator==(const outcome&, const outcome&) = default;
};
[[nodiscard]] std::string to_text(const outcome& what);

}  // namespace firstlight::fstest
