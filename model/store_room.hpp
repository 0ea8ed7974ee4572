#pragma once
#include <cstdint>

#include "model/digest.hpp"
#include "model/result.hpp"

namespace firstlight {

/// How much a content store may still take below its limit (the hub's `store_bytes_max`).
struct store_room {
  std::uint64_t bytes_max = 0;  ///< of all contents; 0: no limit
  std::uint64_t stored = 0;     ///< bytes of contents that are there; above the limit if that was lowered

  /// Bytes that fit; the largest number without a limit.
  [[nodiscard]] std::uint64_t left() const;
  [[nodiscard]] bool has(std::uint64_t bytes) const { return bytes <= left(); }

  /// Whether a file of this size can be there already, so that it may need no room.
  [[nodiscard]] bool may_hold(std::uint64_t bytes) const { return bytes <= stored; }

  /// Whether an image whose layers have this size, compressed, is refused before anything of it is read:
  /// layers larger than the whole store. Their files take no less, but for copies of incompressible files in
  /// several layers. Layers that are merely larger than what is left say nothing: their files may be there
  /// already. Nor does a store above its limit, which may hold them all.
  [[nodiscard]] bool is_too_small_for(std::uint64_t compressed_bytes) const;

  /// `no_space`, with the limit and what can be done.
  [[nodiscard]] error no_room() const;
};

/// An image that was refused for want of room, and what is known of its size.
struct room_need {
  digest image;             ///< what its reference means: `resolved_image::top_digest`
  std::uint64_t bytes = 0;  ///< it brings at least so many that the store does not have
  friend bool operator==(const room_need&, const room_need&) = default;
};

}  // namespace firstlight
