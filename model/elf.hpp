#pragma once
#include <functional>
#include <string>
#include <vector>

#include "model/digest.hpp"

namespace firstlight {

/// Gives exactly `length` bytes from `offset`, or an error if they are not all there.
using byte_reader = std::function<result<std::vector<std::byte>>(std::uint64_t offset, std::uint32_t length)>;

struct elf_limits {
  std::uint32_t program_headers_max = 256;
  std::uint32_t interpreter_bytes_max = 4096;
  std::uint32_t dynamic_bytes_max = 64 * 1024;
  std::uint32_t string_bytes_max = 4096;  ///< of one name or search path
  std::uint32_t needed_max = 1024;
};

/// A range of a file.
struct byte_range {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  friend bool operator==(const byte_range&, const byte_range&) = default;
};

/// What a part of a program is for: when a start reads it. See elf(5), PT_LOAD and its flags.
enum class segment_use : std::uint8_t {
  head,      ///< what the loader reads: headers, symbols, relocations
  writable,  ///< what it relocates
  code,
  data,  ///< constants
};

/// A part of an ELF file that is mapped.
struct loaded_segment {
  byte_range range;
  segment_use use = segment_use::code;
  std::uint64_t address = 0;  ///< of its first byte in memory
  friend bool operator==(const loaded_segment&, const loaded_segment&) = default;
};

/// What of an ELF file decides which other files a start reads.
struct elf_file {
  std::uint8_t word_bits = 64;  ///< 32 or 64
  std::uint16_t machine = 0;    ///< e_machine, e.g. 62 for x86-64
  std::string interpreter;      ///< of PT_INTERP; empty: none
  std::vector<std::string> needed;
  std::vector<std::string> run_path;      ///< DT_RUNPATH's folders as written, with $ORIGIN
  std::vector<std::string> library_path;  ///< DT_RPATH's; ignored by ld.so if there is a DT_RUNPATH
  std::vector<loaded_segment> loaded;     ///< what PT_LOAD maps; the rest of the file is not read by a start
  friend bool operator==(const elf_file&, const elf_file&) = default;
};

/// Whether the bytes begin as an ELF file does.
[[nodiscard]] bool is_elf(bytes_view head);

/// Reads the parts of an ELF file of `size` bytes that matter. Trusts nothing in it.
/// Errors: `invalid_argument` if it is not ELF, `unsupported` for big-endian or an unknown class,
/// `corrupt` if it points outside itself, `limit_exceeded`, and what `read` gives.
[[nodiscard]] result<elf_file> parse_elf(std::uint64_t size, const byte_reader& read,
                                         const elf_limits& limits = {});

}  // namespace firstlight
