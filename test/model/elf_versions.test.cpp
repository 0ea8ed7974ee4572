#include "model/elf_versions.hpp"

#include <dlfcn.h>
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include "test/harness/tiny_elf.hpp"

using namespace firstlight;

namespace {

/// Reads bytes, and notes when it is asked for any outside of them.
struct watched_reader {
  const std::vector<std::byte>& bytes;
  bool outside = false;

  result<std::vector<std::byte>> operator()(std::uint64_t offset, std::uint32_t length) {
    outside = outside || offset > bytes.size() || length > bytes.size() - offset;
    if (outside) return fail(errc::io, "outside");
    const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::vector<std::byte>(first, first + length);
  }
};

result<elf_version> version(const std::vector<std::byte>& bytes, const elf_symbol_limits& limits = {}) {
  watched_reader watched{bytes};
  const byte_reader read = std::ref(watched);
  auto file = parse_elf(bytes.size(), read);
  if (!file) return tl::unexpected(file.error());
  auto symbols = read_elf_symbols(*file, bytes.size(), read, limits);
  auto sections = read_elf_sections(*file, bytes.size(), read);
  REQUIRE_FALSE(watched.outside);
  if (!symbols) return tl::unexpected(symbols.error());
  if (!sections) return tl::unexpected(sections.error());
  return elf_version{std::move(*file), std::move(*symbols), std::move(*sections)};
}

std::vector<std::byte> file_bytes(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> bytes;
  std::transform(std::istreambuf_iterator<char>(file), {}, std::back_inserter(bytes),
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

}  // namespace

TEST_CASE("a library's dynamic symbols tell where their bytes stand") {
  const auto bits = GENERATE(32, 64);
  const auto library = version(make_elf({.word_bits = bits, .functions = {{"f", 80}, {"g", 120}}}));
  REQUIRE(library);
  CHECK(library->symbols.all == std::vector<elf_symbol>{{"f", 80}, {"g", 120}});
  CHECK(version(make_elf({.word_bits = bits}))->symbols.all.empty());
  // Behind what is loaded there is nothing of a symbol.
  CHECK(version(make_elf({.word_bits = bits, .functions = {{"f", 1U << 20U}}}))->symbols.all.empty());
}

TEST_CASE("the symbols of the running C library are where the loader finds them") {
  Dl_info found{};
  REQUIRE(dladdr(dlsym(RTLD_DEFAULT, "qsort"), &found) != 0);
  const auto address = static_cast<const char*>(found.dli_saddr) - static_cast<const char*>(found.dli_fbase);
  const auto library = version(file_bytes(found.dli_fname));
  REQUIRE(library);
  const auto symbol = std::find_if(library->symbols.all.begin(), library->symbols.all.end(),
                                   [](const elf_symbol& one) { return one.name == "qsort"; });
  REQUIRE(symbol != library->symbols.all.end());
  const auto part =
      std::find_if(library->file.loaded.begin(), library->file.loaded.end(), [&](const loaded_segment& one) {
        return symbol->offset >= one.range.offset && symbol->offset < one.range.offset + one.range.length;
      });
  REQUIRE(part != library->file.loaded.end());
  CHECK(part->use == segment_use::code);
  CHECK(part->address + (symbol->offset - part->range.offset) == static_cast<std::uint64_t>(address));
}

TEST_CASE("two versions have their parts and the symbols of one name in common") {
  const auto before = version(make_elf({.functions = {{"f", 80}, {"gone", 90}, {"g", 120}}})).value();
  const auto now =
      version(make_elf({.needed = {"liba"}, .functions = {{"f", 100}, {"new", 110}, {"g", 140}}})).value();
  const auto anchors = common_anchors(before, now);
  const auto has = [&](version_anchor one) {
    return std::find(anchors.begin(), anchors.end(), one) != anchors.end();
  };
  CHECK(anchors.size() == 4);
  CHECK(has({80, 100}));
  CHECK(has({120, 140}));
  CHECK(has({0, 0}));
  CHECK(has({before.file.loaded[0].range.length, now.file.loaded[0].range.length}));
  CHECK(common_anchors(before, version(make_elf({.machine = 3, .functions = {{"f", 100}}})).value()).empty());
  auto other_parts = version(make_elf({.needed = {"liba"}, .functions = {{"f", 100}, {"g", 140}}})).value();
  other_parts.file.loaded[0].use = segment_use::writable;
  CHECK(common_anchors(before, other_parts).size() == 2);
}

TEST_CASE("sections are known by their names, and whether they are mapped") {
  const auto bits = GENERATE(32, 64);
  const bool maps = GENERATE(true, false);
  const auto bytes = make_elf({.word_bits = bits, .functions = {{"f", 80}}, .maps_symbols = maps});
  const auto sections = version(bytes)->sections;
  REQUIRE(sections.size() == 3);
  CHECK(sections[1].name == ".dynsym");
  CHECK(sections[1].mapped == maps);
  CHECK(sections[1].link == 2);
  CHECK(sections[1].range.length == 2 * (bits == 64 ? 24 : 16));
  CHECK(sections[2].name.empty());
  CHECK_FALSE(sections[2].mapped);
  CHECK(sections[2].range.offset + sections[2].range.length == sections[1].range.offset);
}

TEST_CASE("the sections of the running C library hold what they are named for") {
  Dl_info found{};
  REQUIRE(dladdr(dlsym(RTLD_DEFAULT, "qsort"), &found) != 0);
  const auto library = version(file_bytes(found.dli_fname));
  REQUIRE(library);
  const auto section = [&](std::string_view name) {
    const auto at = std::find_if(library->sections.begin(), library->sections.end(),
                                 [&](const elf_section& one) { return one.name == name; });
    REQUIRE(at != library->sections.end());
    return *at;
  };
  const auto code = section(".text").range;
  const auto symbol = std::find_if(library->symbols.all.begin(), library->symbols.all.end(),
                                   [](const elf_symbol& one) { return one.name == "qsort"; });
  REQUIRE(symbol != library->symbols.all.end());
  CHECK(symbol->offset >= code.offset);
  CHECK(symbol->offset < code.offset + code.length);
  CHECK(section(".dynsym").mapped);
  CHECK_FALSE(section(".bss").mapped);  // it has no bytes in the file
}

TEST_CASE("mapped sections of one name are in common, where they begin and where they end") {
  elf_version before;
  elf_version now;
  before.sections = {{.name = ".dynsym", .mapped = true, .range = {1000, 100}},
                     {.name = ".gone", .mapped = true, .range = {1100, 100}},
                     {.name = ".rela.dyn", .mapped = true, .range = {1200, 800}},
                     {.name = ".comment", .range = {9000, 10}}};
  now.sections = {{.name = ".dynsym", .mapped = true, .range = {1000, 300}},
                  {.name = ".rela.dyn", .mapped = true, .range = {1300, 2000}},
                  {.mapped = true, .range = {4000, 10}},
                  {.name = ".comment", .range = {99'000, 10}}};
  CHECK(common_anchors(before, now) ==
        std::vector<version_anchor>{{1000, 1000}, {1100, 1300}, {1200, 1300}, {2000, 3300}});
  now.file.machine = 3;
  CHECK(common_anchors(before, now).empty());
}

TEST_CASE("a part with few symbols for its size is known by its bounds alone") {
  const std::vector<std::string> libraries(100, std::string(400, 'x'));
  const auto before = version(make_elf({.needed = libraries, .functions = {{"f", 80}, {"g", 120}}})).value();
  const auto now = version(make_elf({.needed = libraries, .functions = {{"f", 100}, {"g", 140}}})).value();
  CHECK(common_anchors(before, now).size() == 2);
}

TEST_CASE("symbols with names of any length cost no more than their table") {
  const auto bytes =
      make_elf({.functions = {{std::string(5000, 'x'), 80}, {std::string(4096, 'y'), 90}, {"g", 120}}});
  const auto library = version(bytes);
  REQUIRE(library);
  REQUIRE(library->symbols.all.size() == 2);  // one name is too long
  CHECK(library->symbols.all[0].name.size() == 4096);
}

TEST_CASE("symbols beyond a limit, or outside of the file, are refused") {
  const auto bytes = make_elf({.functions = {{"f", 80}}});
  CHECK(version(bytes, {.sections_max = 2}).error().code == errc::limit_exceeded);
  CHECK(version(bytes, {.table_bytes_max = 100}).error().code == errc::limit_exceeded);
  CHECK(version({bytes.begin(), bytes.end() - 10}).error().code == errc::corrupt);
  watched_reader watched{bytes};
  const byte_reader read = std::ref(watched);
  const auto file = parse_elf(bytes.size(), read).value();
  CHECK(read_elf_sections(file, bytes.size(), read, {.sections_max = 2}).error().code ==
        errc::limit_exceeded);
  CHECK(read_elf_sections(file, bytes.size(), read, {.table_bytes_max = 100}).error().code ==
        errc::limit_exceeded);
  CHECK(read_elf_sections(file, bytes.size(), read, {.name_bytes_max = 6})->at(1).name.empty());
}

TEST_CASE("a damaged table of section names costs neither symbols nor sections") {
  const auto bits = GENERATE(32, 64);
  const std::size_t header_bytes = bits == 64 ? 64 : 40;
  auto bytes = make_elf({.word_bits = bits, .functions = {{"f", 80}}, .maps_symbols = true});
  // A fourth section has the names, and lies behind the end of the file.
  bytes.resize(bytes.size() + header_bytes);
  const auto own = bytes.size() - header_bytes;
  bytes[own + 4] = std::byte{3};
  bytes[own + (bits == 64 ? 24 : 16) + 3] = std::byte{0x40};
  bytes[own + (bits == 64 ? 32 : 20)] = std::byte{10};
  bytes[bits == 64 ? 60 : 48] = std::byte{4};
  bytes[bits == 64 ? 62 : 50] = std::byte{3};
  const auto library = version(bytes);
  REQUIRE(library);
  CHECK(library->symbols.all == std::vector<elf_symbol>{{"f", 80}});
  REQUIRE(library->sections.size() == 4);
  CHECK(library->sections[1].name.empty());
  CHECK(library->sections[1].mapped);
}

TEST_CASE("symbols are read though the names of sections cannot be") {
  const auto bytes = make_elf({.functions = {{"f", 80}}});
  watched_reader watched{bytes};
  const auto file = parse_elf(bytes.size(), std::ref(watched)).value();
  std::vector<std::uint64_t> asked;
  const byte_reader read = [&](std::uint64_t offset, std::uint32_t length) {
    asked.push_back(offset);
    return watched(offset, length);
  };
  const auto sections = read_elf_sections(file, bytes.size(), read).value();
  REQUIRE(asked.size() == 3);  // the file's header, the sections' headers, and their names
  const auto nameless = read_elf_sections(file, bytes.size(), read, {}, section_names::left_out).value();
  CHECK(asked.size() == 5);
  REQUIRE(nameless.size() == sections.size());
  CHECK(nameless[1].name.empty());
  CHECK(nameless[1].range == sections[1].range);
}

TEST_CASE("tables that come shorter than they are asked for are refused") {
  const auto bytes = make_elf({.functions = {{"f", 80}}});
  watched_reader watched{bytes};
  const auto file = parse_elf(bytes.size(), std::ref(watched)).value();
  for (std::size_t whole = 0; whole < 4; ++whole) {
    std::size_t calls = 0;
    const byte_reader read = [&](std::uint64_t offset, std::uint32_t length) {
      return watched(offset, calls++ == whole ? length - 1 : length);
    };
    CHECK(read_elf_symbols(file, bytes.size(), read).error().code == errc::io);
  }
}

TEST_CASE("damaged symbol tables are never read outside their bytes") {
  CHECK(rc::check([] {
    auto bytes = make_elf({.word_bits = *rc::gen::element(32, 64), .functions = {{"f", 80}, {"g", 120}}});
    watched_reader watched{bytes};
    const byte_reader read = std::ref(watched);
    const auto file = parse_elf(bytes.size(), read).value();
    for (int i = 0; i < 4; ++i)
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
          static_cast<std::byte>(*rc::gen::inRange(0, 256));
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const auto symbols = read_elf_symbols(file, bytes.size(), read);
    const auto sections = read_elf_sections(file, bytes.size(), read);
    RC_ASSERT(!watched.outside);
    RC_ASSERT(symbols.has_value() || symbols.error().code != errc::io);
    RC_ASSERT(sections.has_value() || sections.error().code != errc::io);
    if (sections)
      for (const auto& one : *sections)
        RC_ASSERT(!one.mapped || one.range.offset + one.range.length <= bytes.size());
  }));
}
