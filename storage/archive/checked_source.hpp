#pragma once
#include <memory>
#include <optional>
#include <string>

#include "storage/byte_source.hpp"
#include "storage/sha256.hpp"

namespace firstlight {

/// Hands bytes on and compares them with what is expected; the end is reported only if they agree.
class checked_source : public byte_source {
 public:
  struct expectation {
    std::string name;  ///< for errors: "layer sha256:..."
    digest value;
    std::optional<std::uint64_t> size;  ///< bytes, if known
  };
  checked_source(std::unique_ptr<byte_source> inner, expectation expected);

  /// Errors: `corrupt` for too many, too few or other bytes; the inner source's.
  result<std::size_t> read(std::span<std::byte> into) override;

  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  result<std::size_t> at_end();
  result<std::size_t> broken(std::string detail);

  std::unique_ptr<byte_source> inner_;
  expectation expected_;
  sha256_stream hash_;
  std::uint64_t bytes_read_ = 0;
  std::optional<result<std::size_t>> final_;
};

}  // namespace firstlight
