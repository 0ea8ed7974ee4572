#include "test/harness/tiny_elf.hpp"

#include <cstdint>
#include <utility>

namespace firstlight {
namespace {

constexpr std::uint64_t load_address = 0x10000;

class writer {
 public:
  explicit writer(int word_bits) : word_(word_bits == 64 ? 8 : 4) {}

  void number(std::size_t at, std::uint64_t value, std::size_t width) {
    if (bytes_.size() < at + width) bytes_.resize(at + width);
    for (std::size_t i = 0; i < width; ++i) bytes_[at + i] = static_cast<std::byte>(value >> (8 * i));
  }
  void word(std::size_t at, std::uint64_t value) { number(at, value, word_); }
  void text(const std::string& value) {
    for (const char c : value) bytes_.push_back(static_cast<std::byte>(c));
    bytes_.push_back(std::byte{0});
  }
  void program_header(std::size_t position, std::uint32_t type, std::uint64_t offset, std::uint64_t size) {
    const bool wide = word_ == 8;
    const auto at = (wide ? 64U : 52U) + position * (wide ? 56U : 32U);
    number(at, type, 4);
    word(at + (wide ? 8 : 4), offset);
    word(at + (wide ? 16 : 8), load_address + offset);
    word(at + (wide ? 32 : 16), size);
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::size_t width() const { return word_; }
  std::vector<std::byte> bytes_;

 private:
  std::size_t word_;
};

void identity(writer& out, const tiny_elf& what) {
  const bool wide = what.word_bits == 64;
  out.number(0, 0x464c457f, 4);
  out.number(4, wide ? 2 : 1, 1);
  out.number(5, 1, 1);
  out.number(18, what.machine, 2);
  out.word(wide ? 32 : 28, wide ? 64 : 52);
  out.number(wide ? 54 : 42, wide ? 56 : 32, 2);
  out.number(wide ? 56 : 44, 3, 2);
}

/// Sections: none, .dynsym, its names. They lie behind what is loaded, which no loader minds.
void symbols(writer& out, const tiny_elf& what) {
  const bool wide = what.word_bits == 64;
  const std::size_t entry_bytes = wide ? 24 : 16;
  const std::size_t header_bytes = wide ? 64 : 40;
  const auto names = out.size();
  out.text("");
  std::vector<std::uint64_t> places;
  for (const auto& [name, offset] : what.functions) {
    places.push_back(out.size() - names);
    out.text(name);
  }
  const auto own_name = out.size() - names;
  out.text(".dynsym");
  const auto table = out.size();
  out.bytes_.resize(table + (places.size() + 1) * entry_bytes);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto at = table + (i + 1) * entry_bytes;
    out.number(at, places[i], 4);
    out.number(at + (wide ? 4 : 12), 2, 1);  // a function
    out.number(at + (wide ? 6 : 14), 1, 2);  // of this file
    out.word(at + (wide ? 8 : 4), load_address + what.functions[i].second);
  }
  const auto headers = out.size();
  out.bytes_.resize(headers + 3 * header_bytes);
  const auto section = [&](std::size_t number, std::uint32_t type, std::uint64_t from, std::uint64_t to) {
    const auto at = headers + number * header_bytes;
    out.number(at + 4, type, 4);
    out.word(at + (wide ? 24 : 16), from);
    out.word(at + (wide ? 32 : 20), to - from);
  };
  section(1, 11, table, headers);
  section(2, 3, names, table);
  out.number(headers + header_bytes, own_name, 4);
  out.word(headers + header_bytes + 8, what.maps_symbols ? 2 : 0);
  out.number(headers + header_bytes + (wide ? 40 : 24), 2, 4);  // the names of 1 are in 2
  out.word(wide ? 40 : 32, headers);
  out.number(wide ? 58 : 46, header_bytes, 2);
  out.number(wide ? 60 : 48, 3, 2);
  out.number(wide ? 62 : 50, 2, 2);  // and those of all sections
}

}  // namespace

std::vector<std::byte> make_elf(const tiny_elf& what) {
  writer out(what.word_bits);
  identity(out, what);
  for (std::size_t i = 0; i < 3; ++i) out.program_header(i, 0, 0, 0);
  out.bytes_.resize(256);

  if (!what.interpreter.empty()) {
    const auto offset = out.size();
    out.text(what.interpreter);
    out.program_header(1, 3, offset, out.size() - offset);
  }
  const auto strings = out.size();
  out.text("");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;
  const auto name = [&](std::uint64_t tag, const std::string& value) {
    entries.emplace_back(tag, out.size() - strings);
    out.text(value);
  };
  for (const auto& library : what.needed) name(1, library);
  if (!what.run_path.empty()) name(29, what.run_path);
  if (!what.library_path.empty()) name(15, what.library_path);
  entries.emplace_back(5, load_address + strings);
  entries.emplace_back(10, out.size() - strings);
  entries.emplace_back(0, 0);
  const auto dynamic = out.size();
  for (const auto& [tag, value] : entries) {
    out.word(out.size(), tag);
    out.word(out.size(), value);
  }
  out.program_header(2, 2, dynamic, out.size() - dynamic);
  out.program_header(0, 1, 0, out.size());
  if (!what.functions.empty()) symbols(out, what);
  out.bytes_.resize(out.size() + what.tail_bytes);
  return std::move(out.bytes_);
}

}  // namespace firstlight
