#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace firstlight {

/// What goes into a made-up ELF file.
struct tiny_elf {
  int word_bits = 64;
  std::uint16_t machine = 62;
  std::string interpreter;
  std::vector<std::string> needed;
  std::string run_path;
  std::string library_path;
  std::size_t tail_bytes = 0;  ///< after what is loaded, as debug sections are
  std::vector<std::pair<std::string, std::uint64_t>> functions{};  ///< dynamic symbols, and their offsets
  bool maps_symbols = false;  ///< as sections of real libraries are; these lie behind what is loaded
};

/// A little-endian ELF file with program headers and a dynamic section, which nothing can run.
[[nodiscard]] std::vector<std::byte> make_elf(const tiny_elf& what);

}  // namespace firstlight
