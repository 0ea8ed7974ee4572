#include "model/elf.hpp"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "model/shebang.hpp"
#include "test/harness/tiny_elf.hpp"

using namespace firstlight;

namespace {

result<elf_file> parse(const std::vector<std::byte>& bytes, const elf_limits& limits = {}) {
  return parse_elf(
      bytes.size(),
      [&](std::uint64_t offset, std::uint32_t length) -> result<std::vector<std::byte>> {
        REQUIRE(offset + length <= bytes.size());
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
        return std::vector<std::byte>(first, first + length);
      },
      limits);
}

}  // namespace

TEST_CASE("an ELF file tells its interpreter, libraries and search paths") {
  const auto bits = GENERATE(32, 64);
  const auto file = parse(make_elf({.word_bits = bits,
                                    .interpreter = "/lib64/ld.so",
                                    .needed = {"liba.so.1", "libb.so"},
                                    .run_path = "$ORIGIN/../lib:/opt/lib",
                                    .library_path = "/old",
                                    .tail_bytes = 1000}));
  REQUIRE(file);
  CHECK(file->word_bits == bits);
  CHECK(file->machine == 62);
  CHECK(file->interpreter == "/lib64/ld.so");
  CHECK(file->needed == std::vector<std::string>{"liba.so.1", "libb.so"});
  CHECK(file->run_path == std::vector<std::string>{"$ORIGIN/../lib", "/opt/lib"});
  CHECK(file->library_path == std::vector<std::string>{"/old"});
  REQUIRE(file->loaded.size() == 1);
  CHECK(file->loaded[0].range.offset == 0);
}

TEST_CASE("the running program is read as the loader reads it") {
  std::ifstream self("/proc/self/exe", std::ios::binary);
  std::vector<std::byte> bytes;
  std::transform(std::istreambuf_iterator<char>(self), {}, std::back_inserter(bytes),
                 [](char c) { return static_cast<std::byte>(c); });
  const auto file = parse(bytes);
  REQUIRE(file);
  CHECK(file->interpreter.find("ld-") != std::string::npos);
  CHECK(std::find(file->needed.begin(), file->needed.end(), "libc.so.6") != file->needed.end());
  const auto uses = [&](segment_use use) {
    return std::count_if(file->loaded.begin(), file->loaded.end(),
                         [&](const loaded_segment& one) { return one.use == use; });
  };
  CHECK(uses(segment_use::head) + uses(segment_use::code) >= 2);
  CHECK(uses(segment_use::code) >= 1);
  CHECK(uses(segment_use::writable) >= 1);
}

TEST_CASE("what is no ELF file, or of a foreign kind, is refused with its reason") {
  CHECK(parse({}).error().code == errc::invalid_argument);
  CHECK(parse(std::vector<std::byte>(100)).error().code == errc::invalid_argument);
  auto foreign = make_elf({});
  foreign[5] = std::byte{2};
  CHECK(parse(foreign).error().code == errc::unsupported);
  const auto whole = make_elf({.needed = {"a"}});
  CHECK(parse({whole.begin(), whole.begin() + 200}).error().code == errc::corrupt);
  CHECK(parse(make_elf({.needed = {"a", "b", "c"}}), {.needed_max = 2}).error().code == errc::limit_exceeded);
}

TEST_CASE("damaged ELF files are never read outside their bytes") {
  CHECK(rc::check([] {
    auto bytes =
        make_elf({.word_bits = *rc::gen::element(32, 64), .interpreter = "/l", .needed = {"a", "b"}});
    for (int i = 0; i < 4; ++i)
      bytes[*rc::gen::inRange<std::size_t>(0, bytes.size())] =
          static_cast<std::byte>(*rc::gen::inRange(0, 256));
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    bool outside = false;
    const auto file = parse_elf(
        bytes.size(), [&](std::uint64_t offset, std::uint32_t length) -> result<std::vector<std::byte>> {
          outside = outside || offset > bytes.size() || length > bytes.size() - offset;
          if (outside) return fail(errc::io, "outside");
          const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
          return std::vector<std::byte>(first, first + length);
        });
    RC_ASSERT(!outside);
    RC_ASSERT(file.has_value() || file.error().code != errc::io);
  }));
}

TEST_CASE("a script's first line names its interpreter") {
  CHECK(parse_shebang("#!/bin/sh\necho") == shebang{"/bin/sh", ""});
  CHECK(parse_shebang("#! /bin/sh -e -u \necho") == shebang{"/bin/sh", "-e -u"});
  CHECK(parse_shebang("#!/bin/sh") == shebang{"/bin/sh", ""});
  CHECK_FALSE(parse_shebang("#!\n"));
  CHECK_FALSE(parse_shebang("echo"));
  CHECK(parse_shebang("#!/usr/bin/env -S A=b python3 -u\n")->env_program() == "python3");
  CHECK_FALSE(parse_shebang("#!/bin/sh -e\n")->env_program());
}

TEST_CASE("a shell script's commands are the words in a command's place") {
  const auto words = shell_commands(
      "#!/bin/sh\n# find nothing\nset -e\nif [ \"$1\" = x ]; then\n  A=b exec gosu redis \"$@\"\nfi\nls | "
      "sort && chown x y\n"
      "u=$(id -u)\nls\n",
      64);
  CHECK(words == std::vector<std::string>{"set", "gosu", "fi", "ls", "sort", "chown", "id"});
  CHECK(shell_commands("a;b;c;d", 2).size() == 2);
}
