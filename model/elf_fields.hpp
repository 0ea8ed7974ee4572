#pragma once
#include <cstddef>
#include <cstdint>

#include "model/bytes.hpp"

/// Where the fields of ELF files stand: elf(5). For the readers of such files only.
namespace firstlight::detail {

/// By class.
struct elf_layout {
  std::uint32_t header_bytes, program_header_bytes, dynamic_bytes;
  std::uint32_t phoff, phentsize, phnum;            // in the file's header
  std::uint32_t offset, address, size, flags;       // in a program header
  std::uint32_t width;                              // bytes of a word
  std::uint32_t shoff, shentsize, shnum, shstrndx;  // in the file's header
  std::uint32_t section_header_bytes, section_flags, section_offset, section_size, section_link;
  std::uint32_t symbol_bytes, symbol_info, symbol_section, symbol_value;
};
inline constexpr elf_layout elf_layout32{52, 32, 8,  28, 42, 44, 4,  8,  16, 24, 4,  32,
                                         46, 48, 50, 40, 8,  16, 20, 24, 16, 12, 14, 4};
inline constexpr elf_layout elf_layout64{64, 56, 16, 32, 54, 56, 8,  16, 32, 4, 8, 40,
                                         58, 60, 62, 64, 8,  24, 32, 40, 24, 4, 6, 8};

/// Little-endian number of `width` bytes; the caller has checked that they are there.
inline std::uint64_t number(bytes_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
  return value;
}

}  // namespace firstlight::detail
