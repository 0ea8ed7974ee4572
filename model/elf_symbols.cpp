#include "model/elf_symbols.hpp"

#include <algorithm>
#include <optional>

#include "model/elf_sections.hpp"
#include "model/elf_tables.hpp"

namespace firstlight {
namespace {

using detail::number;

constexpr std::uint32_t sht_dynsym = 11;
constexpr std::uint64_t stt_object = 1;
constexpr std::uint64_t stt_func = 2;
constexpr std::uint64_t stt_gnu_ifunc = 10;

class symbol_reader {
 public:
  symbol_reader(const elf_file& file, const detail::elf_tables& tables, const elf_symbol_limits& limits)
      : file_(file), tables_(tables), limits_(limits), at_(tables.fields()) {}

  [[nodiscard]] result<elf_symbols> run(const std::vector<elf_section>& sections) const {
    const auto found = std::find_if(sections.begin(), sections.end(),
                                    [](const elf_section& one) { return one.type == sht_dynsym; });
    if (found == sections.end()) return elf_symbols();
    if (found->link >= sections.size()) return fail(errc::corrupt, "ELF: symbols without names");
    return symbols(found->range, sections[found->link].range);
  }

 private:
  [[nodiscard]] result<elf_symbols> symbols(byte_range own, byte_range named_in) const {
    const auto table = tables_.bytes(own, "symbols");
    if (!table) return tl::unexpected(table.error());
    auto names = tables_.bytes(named_in, "names of symbols");
    if (!names) return tl::unexpected(names.error());
    elf_symbols found;
    found.names = std::move(*names);
    for (std::size_t at = 0; at + at_.symbol_bytes <= table->size(); at += at_.symbol_bytes) {
      const auto type = number(*table, at + at_.symbol_info, 1) & 0xfU;
      if (type != stt_func && type != stt_object && type != stt_gnu_ifunc) continue;
      if (number(*table, at + at_.symbol_section, 2) == 0) continue;  // of another file
      const auto offset = offset_of(number(*table, at + at_.symbol_value, at_.width));
      const auto name =
          detail::elf_tables::name_at(found.names, number(*table, at, 4), limits_.name_bytes_max);
      if (!name) return fail(errc::corrupt, "ELF: a symbol's name outside its table");
      if (offset && !name->empty()) found.all.push_back({*name, *offset});
    }
    return found;
  }

  /// Nothing for what has no bytes in the file.
  [[nodiscard]] std::optional<std::uint64_t> offset_of(std::uint64_t address) const {
    for (const auto& part : file_.loaded)
      if (address >= part.address && address - part.address < part.range.length)
        return part.range.offset + (address - part.address);
    return std::nullopt;
  }

  const elf_file& file_;
  const detail::elf_tables& tables_;
  const elf_symbol_limits& limits_;
  const detail::elf_layout& at_;
};

}  // namespace

result<elf_symbols> read_elf_symbols(const elf_file& file, std::uint64_t size, const byte_reader& read,
                                     const elf_symbol_limits& limits) {
  const auto sections = read_elf_sections(file, size, read, {limits.sections_max, limits.table_bytes_max},
                                          section_names::left_out);
  if (!sections) return tl::unexpected(sections.error());
  const detail::elf_tables tables(file, size, read, limits.table_bytes_max);
  return symbol_reader(file, tables, limits).run(*sections);
}

}  // namespace firstlight
