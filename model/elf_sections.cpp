#include "model/elf_sections.hpp"

#include "model/elf_tables.hpp"

namespace firstlight {
namespace {

using detail::number;

constexpr std::uint32_t sht_nobits = 8;
constexpr std::uint64_t shf_alloc = 2;

class section_reader {
 public:
  section_reader(const detail::elf_tables& tables, const elf_section_limits& limits, section_names names)
      : tables_(tables), limits_(limits), names_(names), at_(tables.fields()) {}

  result<std::vector<elf_section>> run() const {
    const auto head = tables_.bytes({0, at_.header_bytes}, "header");
    if (!head) return tl::unexpected(head.error());
    const auto count = number(*head, at_.shnum, 2);
    if (count == 0) return std::vector<elf_section>();
    if (number(*head, at_.shentsize, 2) != at_.section_header_bytes)
      return fail(errc::corrupt, "ELF: size of a section header");
    if (count > limits_.sections_max) return fail(errc::limit_exceeded, "ELF: sections_max");
    const auto table = tables_.bytes({number(*head, at_.shoff, at_.width), count * at_.section_header_bytes},
                                     "section headers");
    if (!table) return tl::unexpected(table.error());
    std::vector<elf_section> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(section(header(*table, i)));
    return named(*table, number(*head, at_.shstrndx, 2), std::move(all));
  }

 private:
  [[nodiscard]] bytes_view header(bytes_view table, std::size_t index) const {
    return table.subspan(index * at_.section_header_bytes, at_.section_header_bytes);
  }

  [[nodiscard]] elf_section section(bytes_view entry) const {
    elf_section read;
    read.type = static_cast<std::uint32_t>(number(entry, 4, 4));
    read.link = static_cast<std::uint32_t>(number(entry, at_.section_link, 4));
    read.range = {number(entry, at_.section_offset, at_.width), number(entry, at_.section_size, at_.width)};
    const bool in_memory = (number(entry, at_.section_flags, at_.width) & shf_alloc) != 0;
    read.mapped = in_memory && read.type != sht_nobits && tables_.inside(read.range);
    return read;
  }

  /// `names_at` is the section with the names; 0: there is none.
  [[nodiscard]] result<std::vector<elf_section>> named(bytes_view table, std::uint64_t names_at,
                                                       std::vector<elf_section> all) const {
    if (names_ == section_names::left_out || names_at == 0 || names_at >= all.size()) return all;
    const auto place = all[names_at].range;
    if (!tables_.inside(place) || place.length > limits_.table_bytes_max) return all;
    const auto names = tables_.bytes(place, "names of sections");
    if (!names) return tl::unexpected(names.error());
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i].name =
          detail::elf_tables::name_at(*names, number(header(table, i), 0, 4), limits_.name_bytes_max)
              .value_or(std::string_view());
    return all;
  }

  const detail::elf_tables& tables_;
  const elf_section_limits& limits_;
  section_names names_;
  const detail::elf_layout& at_;
};

}  // namespace

result<std::vector<elf_section>> read_elf_sections(const elf_file& file, std::uint64_t size,
                                                   const byte_reader& read, const elf_section_limits& limits,
                                                   section_names names) {
  const detail::elf_tables tables(file, size, read, limits.table_bytes_max);
  return section_reader(tables, limits, names).run();
}

}  // namespace firstlight
