#pragma once
#include <array>
#include <cstdint>
#include <string>

#include "model/result.hpp"

namespace firstlight {

inline constexpr std::size_t tar_block_bytes = 512;
using tar_block = std::array<char, tar_block_bytes>;

/// The dialect that the magic bytes tell.
enum class tar_format : std::uint8_t { v7, ustar, star, gnu };

/// The fields of one header block, not yet interpreted.
struct tar_header {
  tar_format format = tar_format::v7;
  char type = '0';
  std::string name;  ///< with ustar's prefix in front
  std::string link_name;
  std::int64_t mode = 0;
  std::int64_t uid = 0;
  std::int64_t gid = 0;
  std::int64_t size = 0;
  std::int64_t modified = 0;  ///< seconds since the epoch
  std::int64_t device_major = 0;
  std::int64_t device_minor = 0;
};

[[nodiscard]] bool is_zero(const tar_block& block);

/// Errors: `corrupt` for a wrong checksum or a number that is none.
[[nodiscard]] result<tar_header> parse_tar_header(const tar_block& block);

/// A number field: octal text, or GNU's base-256. Blank is 0. Errors: `corrupt`.
[[nodiscard]] result<std::int64_t> parse_tar_number(const char* field, std::size_t length);

}  // namespace firstlight
