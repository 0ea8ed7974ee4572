#pragma once
#include "model/elf.hpp"

namespace firstlight {

struct elf_section_limits {
  std::uint32_t sections_max = 4096;
  std::uint32_t table_bytes_max = 8U << 20U;  ///< of the sections' headers, and of their names
  std::uint32_t name_bytes_max = 256;         ///< a section with a longer name has none
};

/// A part of an ELF file that has a use of its own: ".rela.dyn", ".text".
struct elf_section {
  std::string name;
  std::uint32_t type = 0;  ///< sh_type of elf(5)
  std::uint32_t link = 0;  ///< another section that belongs to it: the one with a symbol table's names
  bool mapped = false;     ///< it is in memory when the program runs, and its bytes are in the file
  byte_range range;        ///< not checked unless it is mapped
  friend bool operator==(const elf_section&, const elf_section&) = default;
};

/// Whether the sections' names are read too. Who goes by types and links needs none.
enum class section_names : std::uint8_t { wanted, left_out };

/// The sections of an ELF file of `size` bytes, in the order of its table; none if it has no such table.
/// Trusts nothing in it: a table of names outside the file or above its limit costs the names alone.
/// Errors: `corrupt` if the table of sections is outside the file, `limit_exceeded`, and what `read` gives.
[[nodiscard]] result<std::vector<elf_section>> read_elf_sections(const elf_file& file, std::uint64_t size,
                                                                 const byte_reader& read,
                                                                 const elf_section_limits& limits = {},
                                                                 section_names names = section_names::wanted);

}  // namespace firstlight
