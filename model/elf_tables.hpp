#pragma once
#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "model/elf.hpp"
#include "model/elf_fields.hpp"

namespace firstlight::detail {

/// What the readers of an ELF file's tables have in common; for those only. Of `file` only the class is
/// taken, and `read` outlives this.
class elf_tables {
 public:
  elf_tables(const elf_file& file, std::uint64_t size, const byte_reader& read, std::uint32_t table_bytes_max)
      : size_(size),
        read_(read),
        table_bytes_max_(table_bytes_max),
        fields_(file.word_bits == 64 ? elf_layout64 : elf_layout32) {}

  [[nodiscard]] const elf_layout& fields() const { return fields_; }

  [[nodiscard]] bool inside(byte_range range) const {
    return range.offset <= size_ && range.length <= size_ - range.offset;
  }

  /// All bytes of the range. Errors: `corrupt` if it is outside of the file, `limit_exceeded`, `io` if
  /// `read` gives fewer, and what it gives.
  [[nodiscard]] result<std::vector<std::byte>> bytes(byte_range range, const char* what) const {
    if (!inside(range)) return fail(errc::corrupt, std::string("ELF: ") + what + " outside the file");
    if (range.length > table_bytes_max_) return fail(errc::limit_exceeded, "ELF: table_bytes_max");
    auto got = read_(range.offset, static_cast<std::uint32_t>(range.length));
    if (got && got->size() != range.length) return fail(errc::io, std::string("ELF: short read of ") + what);
    return got;
  }

  /// The name that begins at `at` in a table of names, which it points into: empty if it is longer than
  /// `bytes_max`, nothing if it is outside.
  [[nodiscard]] static std::optional<std::string_view> name_at(bytes_view names, std::uint64_t at,
                                                               std::uint32_t bytes_max) {
    if (at >= names.size()) return std::nullopt;
    const auto* first = reinterpret_cast<const char*>(names.data()) + at;
    const auto room = std::min<std::size_t>(names.size() - at, std::size_t{bytes_max} + 1);
    const auto length = strnlen(first, room);
    return length > bytes_max ? std::string_view() : std::string_view(first, length);
  }

 private:
  std::uint64_t size_;
  const byte_reader& read_;
  std::uint32_t table_bytes_max_;
  const elf_layout& fields_;
};

}  // namespace firstlight::detail
