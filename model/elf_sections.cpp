#include "model/elf_sections.hpp"

#include <algorithm>
#include <cstring>

#include "model/elf_fields.hpp"

namespace firstlight {
namespace {

using detail::number;

constexpr std::uint32_t sht_nobits = 8;
constexpr std::uint64_t shf_alloc = 2;

class section_reader {
 public:
  section_reader(const elf_file& file, std::uint64_t size, const byte_reader& read,
                 const elf_section_limits& limits)
      : size_(size),
        read_(read),
        limits_(limits),
        at_(file.word_bits == 64 ? detail::elf_layout64 : detail::elf_layout32) {}

  result<std::vector<elf_section>> run() {
    const auto head = bytes({0, at_.header_bytes}, "header");
    if (!head) return tl::unexpected(head.error());
    const auto count = number(*head, at_.shnum, 2);
    if (count == 0) return std::vector<elf_section>();
    if (number(*head, at_.shentsize, 2) != at_.section_header_bytes)
      return fail(errc::corrupt, "ELF: size of a section header");
    if (count > limits_.sections_max) return fail(errc::limit_exceeded, "ELF: sections_max");
    const auto table =
        bytes({number(*head, at_.shoff, at_.width), count * at_.section_header_bytes}, "section headers");
    if (!table) return tl::unexpected(table.error());
    std::vector<elf_section> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(section(header(*table, i)));
    return named(*table, number(*head, at_.shstrndx, 2), std::move(all));
  }

 private:
  [[nodiscard]] bytes_view header(bytes_view table, std::size_t index) const {
    return table.subspan(index * at_.section_header_bytes, at_.section_header_bytes);
  }
  [[nodiscard]] bool inside(byte_range range) const {
    return range.offset <= size_ && range.length <= size_ - range.offset;
  }

  [[nodiscard]] elf_section section(bytes_view entry) const {
    elf_section read;
    read.type = static_cast<std::uint32_t>(number(entry, 4, 4));
    read.link = static_cast<std::uint32_t>(number(entry, at_.section_link, 4));
    read.range = {number(entry, at_.section_offset, at_.width), number(entry, at_.section_size, at_.width)};
    const bool in_memory = (number(entry, at_.section_flags, at_.width) & shf_alloc) != 0;
    read.mapped = in_memory && read.type != sht_nobits && inside(read.range);
    return read;
  }

  result<std::vector<std::byte>> bytes(byte_range range, const char* what) const {
    if (!inside(range)) return fail(errc::corrupt, std::string("ELF: ") + what + " outside the file");
    if (range.length > limits_.table_bytes_max) return fail(errc::limit_exceeded, "ELF: table_bytes_max");
    return read_(range.offset, static_cast<std::uint32_t>(range.length));
  }

  /// `names_at` is the section with the names; 0: there is none.
  result<std::vector<elf_section>> named(bytes_view table, std::uint64_t names_at,
                                         std::vector<elf_section> all) const {
    if (names_at == 0 || names_at >= all.size()) return all;
    const auto names = bytes(all[names_at].range, "names of sections");
    if (!names) return tl::unexpected(names.error());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i].name = name_at(*names, number(header(table, i), 0, 4));
    return all;
  }

  /// Empty for one that is too long or outside of the table.
  [[nodiscard]] std::string name_at(bytes_view names, std::uint64_t at) const {
    if (at >= names.size()) return {};
    const auto* first = reinterpret_cast<const char*>(names.data()) + at;
    const auto room = std::min<std::size_t>(names.size() - at, limits_.name_bytes_max + 1);
    const auto length = strnlen(first, room);
    return length > limits_.name_bytes_max ? std::string() : std::string(first, length);
  }

  std::uint64_t size_;
  const byte_reader& read_;
  const elf_section_limits& limits_;
  const detail::elf_layout& at_;
};

}  // namespace

result<std::vector<elf_section>> read_elf_sections(const elf_file& file, std::uint64_t size,
                                                   const byte_reader& read,
                                                   const elf_section_limits& limits) {
  return section_reader(file, size, read, limits).run();
}

}  // namespace firstlight
