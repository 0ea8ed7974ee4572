#pragma once
#include <cstdint>
#include <optional>

#include "model/image_tree.hpp"

namespace firstlight {

// What the TOC's writer and reader agree upon; not for others.

inline constexpr std::uint16_t toc_version = 2;
inline constexpr std::uint64_t toc_words_max = (1ULL << 29U) - 1;  ///< of one Cap'n Proto segment: 4 GiB
inline constexpr std::uint32_t name_bytes_max = 255;               ///< of a file or an xattr, as in Linux
inline constexpr std::uint32_t symlink_bytes_max = 4095;           ///< of a target, as in Linux
inline constexpr std::uint32_t xattr_value_bytes_max = 65536;      ///< as in Linux
inline constexpr std::uint32_t device_major_max = (1U << 12U) - 1;
inline constexpr std::uint32_t device_minor_max = (1U << 20U) - 1;
inline constexpr std::uint64_t content_bytes_max = 1ULL << 43U;  ///< 8 TiB: blocks of 4 KiB count below 2^32

/// The type as in st_mode.
constexpr std::uint32_t type_bits(file_type type) {
  switch (type) {
    case file_type::regular:
      return 0100000;
    case file_type::directory:
      return 0040000;
    case file_type::symlink:
      return 0120000;
    case file_type::character_device:
      return 0020000;
    case file_type::block_device:
      return 0060000;
    case file_type::fifo:
      return 0010000;
  }
  return 0;
}

/// The type of an st_mode, or nothing if it has other bits than a known type and permissions.
constexpr std::optional<file_type> type_of_mode(std::uint32_t mode) {
  switch (mode & ~07777U) {
    case type_bits(file_type::regular):
      return file_type::regular;
    case type_bits(file_type::directory):
      return file_type::directory;
    case type_bits(file_type::symlink):
      return file_type::symlink;
    case type_bits(file_type::character_device):
      return file_type::character_device;
    case type_bits(file_type::block_device):
      return file_type::block_device;
    case type_bits(file_type::fifo):
      return file_type::fifo;
    default:
      return std::nullopt;
  }
}

}  // namespace firstlight
