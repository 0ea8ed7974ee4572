#pragma once
#include <string_view>

#include "model/elf.hpp"

namespace firstlight {

struct elf_symbol_limits {
  std::uint32_t sections_max = 4096;
  std::uint32_t table_bytes_max = 8U << 20U;  ///< of the symbols, and of their names
  std::uint32_t name_bytes_max = 4096;        ///< symbols with longer names are left out
};

/// A function or an object that a file offers to others under a name.
struct elf_symbol {
  std::string_view name;
  std::uint64_t offset = 0;  ///< in the file
  friend bool operator==(const elf_symbol&, const elf_symbol&) = default;
};

/// Symbols with the table that their names stand in. Moves, but does not copy: the names would stay behind.
struct elf_symbols {
  std::vector<std::byte> names;
  std::vector<elf_symbol> all;

  elf_symbols() = default;
  elf_symbols(elf_symbols&&) = default;
  elf_symbols& operator=(elf_symbols&&) = default;
};

/// The dynamic symbols of an ELF file of `size` bytes that stand in it, in the order of its table (.dynsym);
/// none if it has no such section. Trusts nothing in it.
/// Errors: `corrupt` if it points outside itself, `limit_exceeded`, and what `read` gives.
[[nodiscard]] result<elf_symbols> read_elf_symbols(const elf_file& file, std::uint64_t size,
                                                   const byte_reader& read,
                                                   const elf_symbol_limits& limits = {});

}  // namespace firstlight
