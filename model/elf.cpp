#include "model/elf.hpp"

#include <algorithm>
#include <cstring>

#include "model/elf_fields.hpp"

namespace firstlight {
namespace {

using detail::number;

constexpr std::uint32_t pt_load = 1;
constexpr std::uint32_t pt_dynamic = 2;
constexpr std::uint32_t pt_interp = 3;
constexpr std::uint64_t dt_null = 0;
constexpr std::uint64_t dt_needed = 1;
constexpr std::uint64_t dt_strtab = 5;
constexpr std::uint64_t dt_strsz = 10;
constexpr std::uint64_t dt_rpath = 15;
constexpr std::uint64_t dt_runpath = 29;

constexpr std::uint64_t pf_execute = 1;
constexpr std::uint64_t pf_write = 2;

segment_use use_of(std::uint64_t offset, std::uint64_t flags) {
  if ((flags & pf_write) != 0) return segment_use::writable;
  if ((flags & pf_execute) != 0) return segment_use::code;
  return offset == 0 ? segment_use::head : segment_use::data;
}

struct program_header {
  std::uint32_t type = 0;
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
};

class parser {
 public:
  parser(std::uint64_t size, const byte_reader& read, const elf_limits& limits)
      : size_(size), read_(read), limits_(limits) {}

  result<elf_file> parse() {
    return header()
        .and_then([&] { return program_headers(); })
        .and_then([&] { return interpreter(); })
        .and_then([&] { return dynamic(); })
        .map([&] { return std::move(file_); });
  }

 private:
  [[nodiscard]] bool inside(std::uint64_t offset, std::uint64_t length) const {
    return offset <= size_ && length <= size_ - offset;
  }

  result<std::vector<std::byte>> bytes(std::uint64_t offset, std::uint64_t length, const char* what) const {
    if (!inside(offset, length))
      return fail(errc::corrupt, std::string("ELF: ") + what + " outside the file");
    auto got = read_(offset, static_cast<std::uint32_t>(length));
    if (got && got->size() != length) return fail(errc::io, std::string("ELF: short read of ") + what);
    return got;
  }

  result<void> header() {
    const auto identity = bytes(0, std::min<std::uint64_t>(16, size_), "header");
    if (!identity) return tl::unexpected(identity.error());
    if (!is_elf(*identity) || identity->size() < 16) return fail(errc::invalid_argument, "no ELF file");
    const auto word = std::to_integer<int>((*identity)[4]);
    if ((word != 1 && word != 2) || std::to_integer<int>((*identity)[5]) != 1)
      return fail(errc::unsupported, "ELF: big-endian or of an unknown class");
    at_ = word == 2 ? detail::elf_layout64 : detail::elf_layout32;
    file_.word_bits = word == 2 ? 64 : 32;
    return {};
  }

  result<void> program_headers() {
    const auto head = bytes(0, at_.header_bytes, "header");
    if (!head) return tl::unexpected(head.error());
    file_.machine = static_cast<std::uint16_t>(number(*head, 18, 2));
    const auto offset = number(*head, at_.phoff, at_.width);
    const auto count = number(*head, at_.phnum, 2);
    if (count == 0) return {};
    if (number(*head, at_.phentsize, 2) != at_.program_header_bytes)
      return fail(errc::corrupt, "ELF: size of a program header");
    if (count > limits_.program_headers_max) return fail(errc::limit_exceeded, "ELF: program_headers_max");
    const auto table = bytes(offset, count * at_.program_header_bytes, "program headers");
    if (!table) return tl::unexpected(table.error());
    for (std::size_t i = 0; i < count; ++i) {
      const auto entry = bytes_view(*table).subspan(i * at_.program_header_bytes, at_.program_header_bytes);
      const program_header read{static_cast<std::uint32_t>(number(entry, 0, 4)),
                                number(entry, at_.offset, at_.width), number(entry, at_.address, at_.width),
                                number(entry, at_.size, at_.width)};
      if (read.type != pt_load && read.type != pt_dynamic && read.type != pt_interp) continue;
      if (!inside(read.offset, read.size))
        return fail(errc::corrupt, "ELF: a program header outside the file");
      headers_.push_back(read);
      if (read.type == pt_load && read.size > 0)
        file_.loaded.push_back(
            {{read.offset, read.size}, use_of(read.offset, number(entry, at_.flags, 4)), read.address});
    }
    return {};
  }

  [[nodiscard]] const program_header* find(std::uint32_t type) const {
    const auto found = std::find_if(headers_.begin(), headers_.end(),
                                    [&](const program_header& h) { return h.type == type; });
    return found == headers_.end() ? nullptr : &*found;
  }

  result<void> interpreter() {
    const auto* header = find(pt_interp);
    if (header == nullptr) return {};
    if (header->size > limits_.interpreter_bytes_max)
      return fail(errc::limit_exceeded, "ELF: interpreter_bytes_max");
    const auto text = bytes(header->offset, header->size, "interpreter");
    if (!text) return tl::unexpected(text.error());
    const auto* first = reinterpret_cast<const char*>(text->data());
    file_.interpreter.assign(first, strnlen(first, text->size()));
    return {};
  }

  result<void> dynamic() {
    const auto* header = find(pt_dynamic);
    if (header == nullptr) return {};
    if (header->size > limits_.dynamic_bytes_max) return fail(errc::limit_exceeded, "ELF: dynamic_bytes_max");
    const auto table = bytes(header->offset, header->size, "dynamic section");
    if (!table) return tl::unexpected(table.error());
    std::vector<std::pair<std::uint64_t, std::uint64_t>> names;  // tag, offset in the string table
    std::uint64_t strings = 0;
    for (std::size_t at = 0; at + at_.dynamic_bytes <= table->size(); at += at_.dynamic_bytes) {
      const auto tag = number(*table, at, at_.width);
      const auto value = number(*table, at + at_.width, at_.width);
      if (tag == dt_null) break;
      if (tag == dt_strtab) strings = value;
      if (tag == dt_strsz) strings_.length = value;
      if (tag == dt_needed || tag == dt_rpath || tag == dt_runpath) names.emplace_back(tag, value);
    }
    if (names.empty()) return {};
    if (names.size() > limits_.needed_max) return fail(errc::limit_exceeded, "ELF: needed_max");
    return locate_strings(strings).and_then([&] { return read_names(names); });
  }

  /// The string table is given by its address in memory.
  result<void> locate_strings(std::uint64_t address) {
    for (const auto& header : headers_) {
      if (header.type != pt_load || address < header.address || address - header.address >= header.size)
        continue;
      strings_.offset = header.offset + (address - header.address);
      if (inside(strings_.offset, strings_.length)) return {};
    }
    return fail(errc::corrupt, "ELF: string table outside the file");
  }

  result<void> read_names(const std::vector<std::pair<std::uint64_t, std::uint64_t>>& names) {
    for (const auto& [tag, offset] : names) {
      auto name = string_at(offset);
      if (!name) return tl::unexpected(name.error());
      if (tag == dt_needed)
        file_.needed.push_back(std::move(*name));
      else
        split(*name, tag == dt_runpath ? file_.run_path : file_.library_path);
    }
    return {};
  }

  result<std::string> string_at(std::uint64_t offset) const {
    if (offset >= strings_.length) return fail(errc::corrupt, "ELF: a name outside the string table");
    const auto length = std::min<std::uint64_t>(limits_.string_bytes_max, strings_.length - offset);
    const auto text = bytes(strings_.offset + offset, length, "name");
    if (!text) return tl::unexpected(text.error());
    const auto* first = reinterpret_cast<const char*>(text->data());
    const auto used = strnlen(first, text->size());
    if (used == text->size()) return fail(errc::corrupt, "ELF: a name without end");
    return std::string(first, used);
  }

  static void split(std::string_view folders, std::vector<std::string>& into) {
    while (!folders.empty()) {
      const auto folder = folders.substr(0, folders.find(':'));
      if (!folder.empty()) into.emplace_back(folder);
      folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
    }
  }

  std::uint64_t size_;
  const byte_reader& read_;
  const elf_limits& limits_;
  detail::elf_layout at_ = detail::elf_layout64;
  std::vector<program_header> headers_;
  byte_range strings_;
  elf_file file_;
};

}  // namespace

bool is_elf(bytes_view head) {
  return head.size() >= 4 && std::memcmp(head.data(), "\177ELF", 4) == 0;
}

result<elf_file> parse_elf(std::uint64_t size, const byte_reader& read, const elf_limits& limits) {
  return parser(size, read, limits).parse();
}

}  // namespace firstlight
