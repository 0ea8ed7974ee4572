#pragma once
#include <memory>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// Immutable bytes that several owners share without a copy: a vector, an mmap, a received message.
/// `bytes` stays valid as long as `owner` lives. May be handed between threads.
struct shared_bytes {
  bytes_view bytes;
  std::shared_ptr<const void> owner;
};

/// Takes the vector over.
inline shared_bytes share(std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  return {*owner, owner};
}

}  // namespace firstlight
