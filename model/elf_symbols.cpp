#include "model/elf_symbols.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "model/elf_fields.hpp"
#include "model/elf_sections.hpp"

namespace firstlight {
namespace {

using detail::number;

constexpr std::uint32_t sht_dynsym = 11;
constexpr std::uint64_t stt_object = 1;
constexpr std::uint64_t stt_func = 2;
constexpr std::uint64_t stt_gnu_ifunc = 10;

class symbol_reader {
 public:
  symbol_reader(const elf_file& file, std::uint64_t size, const byte_reader& read,
                const elf_symbol_limits& limits)
      : file_(file),
        size_(size),
        read_(read),
        limits_(limits),
        at_(file.word_bits == 64 ? detail::elf_layout64 : detail::elf_layout32) {}

  result<elf_symbols> run() {
    const auto sections =
        read_elf_sections(file_, size_, read_, {limits_.sections_max, limits_.table_bytes_max});
    if (!sections) return tl::unexpected(sections.error());
    const auto found = std::find_if(sections->begin(), sections->end(),
                                    [](const elf_section& one) { return one.type == sht_dynsym; });
    if (found == sections->end()) return elf_symbols();
    if (found->link >= sections->size()) return fail(errc::corrupt, "ELF: symbols without names");
    return symbols(found->range, sections->at(found->link).range);
  }

 private:
  result<std::vector<std::byte>> bytes(byte_range range, const char* what) const {
    if (range.offset > size_ || range.length > size_ - range.offset)
      return fail(errc::corrupt, std::string("ELF: ") + what + " outside the file");
    if (range.length > limits_.table_bytes_max) return fail(errc::limit_exceeded, "ELF: table_bytes_max");
    return read_(range.offset, static_cast<std::uint32_t>(range.length));
  }

  result<elf_symbols> symbols(byte_range own, byte_range named_in) {
    const auto table = bytes(own, "symbols");
    if (!table) return tl::unexpected(table.error());
    auto names = bytes(named_in, "names of symbols");
    if (!names) return tl::unexpected(names.error());
    elf_symbols found;
    found.names = std::move(*names);
    for (std::size_t at = 0; at + at_.symbol_bytes <= table->size(); at += at_.symbol_bytes) {
      const auto type = number(*table, at + at_.symbol_info, 1) & 0xfU;
      if (type != stt_func && type != stt_object && type != stt_gnu_ifunc) continue;
      if (number(*table, at + at_.symbol_section, 2) == 0) continue;  // of another file
      const auto offset = offset_of(number(*table, at + at_.symbol_value, at_.width));
      const auto name = name_at(found.names, number(*table, at, 4));
      if (!name) return tl::unexpected(name.error());
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

  /// Empty for one that is too long.
  [[nodiscard]] result<std::string_view> name_at(bytes_view names, std::uint64_t at) const {
    if (at >= names.size()) return fail(errc::corrupt, "ELF: a symbol's name outside its table");
    const auto* first = reinterpret_cast<const char*>(names.data()) + at;
    const auto room = std::min<std::size_t>(names.size() - at, limits_.name_bytes_max + 1);
    const auto length = strnlen(first, room);
    return length > limits_.name_bytes_max ? std::string_view() : std::string_view(first, length);
  }

  const elf_file& file_;
  std::uint64_t size_;
  const byte_reader& read_;
  const elf_symbol_limits& limits_;
  const detail::elf_layout& at_;
};

}  // namespace

result<elf_symbols> read_elf_symbols(const elf_file& file, std::uint64_t size, const byte_reader& read,
                                     const elf_symbol_limits& limits) {
  return symbol_reader(file, size, read, limits).run();
}

}  // namespace firstlight
