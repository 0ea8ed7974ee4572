#pragma once
#include <array>
#include <bit>
#include <cstdint>

// The parts of the EROFS format that our images use, as the Linux documentation
// (Documentation/filesystems/erofs.rst) and fs/erofs/erofs_fs.h describe them. Integers are little-endian.
// Only for the files of this folder.
namespace firstlight::erofs {

static_assert(std::endian::native == std::endian::little, "the structures are written as they are in memory");

inline constexpr std::uint32_t block_bytes = 4096;
/// Inodes begin at multiples of this; their numbers count it.
inline constexpr std::uint32_t slot_bytes = 32;
inline constexpr std::uint32_t super_block_offset = 1024;

inline constexpr std::uint32_t magic = 0xe0f5e1e2;
inline constexpr std::uint32_t feature_checksum = 1;           ///< compatible: the superblock has a CRC-32C
inline constexpr std::uint32_t feature_mtime = 2;              ///< compatible: times are modification times
inline constexpr std::uint32_t feature_chunked_files = 4;      ///< incompatible: `layout::chunks` occurs
inline constexpr std::uint32_t no_block = 0xffffffff;          ///< as the address of a chunk: a hole
inline constexpr std::uint32_t largest_chunk = 31;             ///< as the form of a chunk: 2^31 blocks, 8 TiB
inline constexpr std::uint64_t chunk_bytes_max = 1ULL << 43U;  ///< of `largest_chunk`

struct super_block {
  std::uint32_t magic = erofs::magic;
  std::uint32_t checksum = 0;  ///< CRC-32C over the rest of the first block, with 0 here, not inverted
  std::uint32_t compatible_features = 0;
  std::uint8_t block_bits = 12;
  std::uint8_t extension_slots = 0;
  std::uint16_t root = 0;
  std::uint64_t inodes = 0;        ///< only shown, by statfs(2)
  std::int64_t build_seconds = 0;  ///< the time of all compact inodes
  std::uint32_t build_nanoseconds = 0;
  std::uint32_t blocks = 0;  ///< only shown, by statfs(2), while there are no extra devices
  std::uint32_t inodes_block = 0;
  std::uint32_t xattrs_block = 0;  ///< where ids of shared xattrs count from
  std::array<std::uint8_t, 16> uuid{};
  std::array<char, 16> name{};  ///< ends with NUL
  std::uint32_t incompatible_features = 0;
  std::uint16_t compression = 0;
  std::uint16_t extra_devices = 0;
  std::uint16_t device_slot = 0;
  std::uint8_t directory_block_bits = 0;
  std::uint8_t xattr_prefixes = 0;
  std::uint32_t xattr_prefix_start = 0;
  std::uint64_t packed_inode = 0;
  std::array<std::uint8_t, 24> reserved{};
};
static_assert(sizeof(super_block) == 128);

enum class layout : std::uint16_t {
  plain = 0,    ///< all data in blocks
  inlined = 2,  ///< what does not fill a block stands behind the inode and its xattrs, in the inode's block
  chunks = 4,   ///< block addresses behind the inode and its xattrs
};
/// The first field of both forms of an inode.
constexpr std::uint16_t inode_format(layout data, bool compact) {
  return static_cast<std::uint16_t>(static_cast<unsigned>(data) << 1U | (compact ? 0U : 1U));
}

struct compact_inode {
  std::uint16_t format = 0;
  std::uint16_t xattr_count = 0;
  std::uint16_t mode = 0;
  std::uint16_t links = 0;
  std::uint32_t size = 0;
  std::uint32_t later = 0;   ///< seconds after the build time; older Linux takes it for 0
  std::uint32_t detail = 0;  ///< first block of the data, device number, or form of the chunks
  std::uint32_t number = 0;  ///< shown on 32-bit machines only
  std::uint16_t uid = 0;
  std::uint16_t gid = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(compact_inode) == slot_bytes);

struct extended_inode {
  std::uint16_t format = 0;
  std::uint16_t xattr_count = 0;
  std::uint16_t mode = 0;
  std::uint16_t reserved = 0;
  std::uint64_t size = 0;
  std::uint32_t detail = 0;
  std::uint32_t number = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t links = 0;
  std::array<std::uint8_t, 16> reserved_end{};
};
static_assert(sizeof(extended_inode) == 2 * sizeof(compact_inode));

/// Behind an inode with xattrs; followed by `shared` ids of 4 bytes, then by xattr entries.
struct xattr_header {
  std::uint32_t filter = 0;
  std::uint8_t shared = 0;
  std::array<std::uint8_t, 7> reserved{};
};
static_assert(sizeof(xattr_header) == 12);

/// What `xattr_count` of an inode says of `bytes` bytes of header, ids and entries.
constexpr std::uint16_t xattr_count_of(std::uint32_t bytes) {
  return bytes == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>((bytes - sizeof(xattr_header)) / 4 + 1);
}
inline constexpr std::uint32_t xattr_bytes_max = sizeof(xattr_header) + sizeof(std::uint32_t) * 0xfffe;
inline constexpr std::uint32_t shared_xattrs_max = 255;  ///< of one inode
inline constexpr std::uint32_t entry_value_bytes_max = 65535;

/// Followed by the name without its prefix, then the value, up to a multiple of 4 bytes.
struct xattr_entry {
  std::uint8_t name_bytes = 0;
  std::uint8_t prefix = 0;
  std::uint16_t value_bytes = 0;
};
static_assert(sizeof(xattr_entry) == 4);

namespace xattr_prefix {
inline constexpr std::uint8_t user = 1;
inline constexpr std::uint8_t access_acl = 2;   ///< the whole name
inline constexpr std::uint8_t default_acl = 3;  ///< the whole name
inline constexpr std::uint8_t trusted = 4;
inline constexpr std::uint8_t security = 6;
}  // namespace xattr_prefix

/// A block of a directory: these, then the names in the same order. The last name ends with the data or with
/// NUL.
struct directory_entry {
  std::uint32_t inode = 0;
  std::uint32_t inode_high = 0;
  std::uint16_t name_offset = 0;
  std::uint8_t type = 0;
  std::uint8_t reserved = 0;
};
static_assert(sizeof(directory_entry) == 12);

namespace entry_type {
inline constexpr std::uint8_t regular = 1;
inline constexpr std::uint8_t directory = 2;
inline constexpr std::uint8_t character_device = 3;
inline constexpr std::uint8_t block_device = 4;
inline constexpr std::uint8_t fifo = 5;
inline constexpr std::uint8_t symlink = 7;
}  // namespace entry_type

constexpr std::uint64_t rounded_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

}  // namespace firstlight::erofs
