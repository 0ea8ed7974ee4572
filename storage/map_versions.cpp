#include "storage/map_versions.hpp"

#include <optional>

#include "model/elf_versions.hpp"

namespace firstlight {
namespace {

std::optional<elf_version> elf_of(const content_store& contents, const content_info& content) {
  const auto read = [&](std::uint64_t offset, std::uint32_t length) -> result<std::vector<std::byte>> {
    std::vector<std::byte> bytes(length);
    const auto got = contents.read(content, offset, bytes);
    if (!got) return tl::unexpected(got.error());
    bytes.resize(*got);
    return bytes;
  };
  auto file = parse_elf(content.size, read);
  if (!file) return std::nullopt;
  auto symbols = read_elf_symbols(*file, content.size, read);
  auto sections = read_elf_sections(*file, content.size, read);
  return elf_version{std::move(*file), symbols ? std::move(*symbols) : elf_symbols(),
                     sections ? std::move(*sections) : std::vector<elf_section>()};
}

}  // namespace

version_map map_versions(const content_store& contents, const content_info& before, const content_info& now) {
  const auto was = elf_of(contents, before);
  const auto is = was ? elf_of(contents, now) : std::nullopt;
  return {before.size, now.size, is ? common_anchors(*was, *is) : std::vector<version_anchor>()};
}

}  // namespace firstlight
