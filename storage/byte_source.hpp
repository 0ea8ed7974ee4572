#pragma once
#include <cstddef>
#include <span>

#include "model/digest.hpp"

namespace firstlight {

/// A stream of bytes that its reader pulls. One thread.
class byte_source {
 public:
  virtual ~byte_source() = default;
  /// Fills the front of `into`, which is not empty. @returns how many bytes; 0 only at the end.
  /// After an error or the end, every further call gives the same.
  virtual result<std::size_t> read(std::span<std::byte> into) = 0;
};

}  // namespace firstlight
