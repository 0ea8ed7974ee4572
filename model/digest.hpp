#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "model/result.hpp"

namespace firstlight {

using bytes_view = std::span<const std::byte>;

/// A SHA-256 value: 32 bytes. What it is taken over is told by the type that wraps it.
struct digest {
  std::array<std::byte, 32> bytes{};

  friend auto operator<=>(const digest&, const digest&) = default;

  /// 64 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const;
  /// The same without an allocation.
  [[nodiscard]] std::array<char, 64> hex_digits() const;
  /// "sha256:" and the digits, as OCI writes it.
  [[nodiscard]] std::string oci() const;
};

/// Reads 64 hexadecimal digits of either case. Errors: `invalid_argument`.
[[nodiscard]] result<digest> parse_hex_digest(std::string_view text);

/// Reads "sha256:" and 64 lower-case digits, the only algorithm that registries use in practice.
/// Errors: `unsupported` for another algorithm, `invalid_argument` otherwise.
[[nodiscard]] result<digest> parse_oci_digest(std::string_view text);

/// Reads exactly 32 raw bytes. Errors: `corrupt` for another length.
[[nodiscard]] result<digest> digest_from_bytes(bytes_view raw);

/// Names the bytes of one file: the root of the Merkle tree over its blocks (merkle.hpp).
struct content_id {
  digest root;
  friend auto operator<=>(const content_id&, const content_id&) = default;
};

/// Names one table of contents: SHA-256 over its serialized message.
struct toc_id {
  digest value;
  friend auto operator<=>(const toc_id&, const toc_id&) = default;
};

}  // namespace firstlight

template <>
struct std::hash<firstlight::digest> {
  std::size_t operator()(const firstlight::digest& d) const noexcept {
    std::size_t head = 0;
    std::memcpy(&head, d.bytes.data(), sizeof head);
    return head;  // the bytes are already uniformly distributed
  }
};
template <>
struct std::hash<firstlight::content_id> {
  std::size_t operator()(const firstlight::content_id& id) const noexcept {
    return std::hash<firstlight::digest>{}(id.root);
  }
};
template <>
struct std::hash<firstlight::toc_id> {
  std::size_t operator()(const firstlight::toc_id& id) const noexcept {
    return std::hash<firstlight::digest>{}(id.value);
  }
};
