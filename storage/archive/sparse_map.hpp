#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/archive/tar_header.hpp"
#include "storage/byte_source.hpp"

namespace firstlight {

/// A run of bytes that a sparse file's entry carries; all between runs are zeros.
struct sparse_region {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
using sparse_map = std::vector<sparse_region>;

/// Checks that regions ascend, do not overlap and end within `size`. Errors: `corrupt`.
[[nodiscard]] result<void> check_sparse_map(const sparse_map& map, std::uint64_t size);

/// PAX 0.1: "offset,length,offset,length". Errors: `corrupt`, `limit_exceeded`.
[[nodiscard]] result<sparse_map> parse_sparse_text(std::string_view text, std::uint32_t regions_max);

/// PAX 1.0: decimal lines at the front of the entry's data, padded to whole blocks, which are taken off
/// `data`.
/// @returns the map; `consumed` is how many bytes were taken. Errors: `corrupt`, `limit_exceeded`, the
/// source's.
[[nodiscard]] result<sparse_map> read_sparse_lines(byte_source& data, std::uint32_t regions_max,
                                                   std::uint64_t& consumed);

struct gnu_sparse {
  sparse_map map;
  std::uint64_t size = 0;  ///< of the file, holes included
};
/// GNU's own format: regions in the header and in extension blocks that follow it in `data`.
/// Errors: `corrupt`, `limit_exceeded`, the source's.
[[nodiscard]] result<gnu_sparse> read_gnu_sparse(const tar_block& header, byte_source& data,
                                                 std::uint32_t regions_max);

/// Fills `block`. Errors: `corrupt` if the source ends before.
[[nodiscard]] result<void> read_block(byte_source& source, tar_block& block);

}  // namespace firstlight
