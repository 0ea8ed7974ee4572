#pragma once
#include <memory>

#include "model/merkle.hpp"

namespace firstlight {

/// SHA-256 of `bytes`. Any thread; each thread reuses one context.
[[nodiscard]] digest sha256(bytes_view bytes);

/// SHA-256 of bytes that come in parts. One thread at a time; reusable after `finish`.
class sha256_stream {
 public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  sha256_stream& operator=(sha256_stream&&) noexcept;

  void update(bytes_view bytes);
  /// The digest of all since construction or the last `finish`; starts anew.
  digest finish();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The tree's hash functions over SHA-256: leaf H(0x00 || block), node H(0x01 || left || right).
[[nodiscard]] merkle_hasher sha256_merkle();

}  // namespace firstlight
