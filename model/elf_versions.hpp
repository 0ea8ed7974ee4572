#pragma once

#include "model/elf_sections.hpp"
#include "model/elf_symbols.hpp"
#include "model/version_map.hpp"

namespace firstlight {

/// What of an ELF file tells where its parts stand.
struct elf_version {
  elf_file file;
  elf_symbols symbols{};
  std::vector<elf_section> sections{};
};

/// Places that two versions of a program or library have in common: where their mapped parts begin and end,
/// if they have the same parts; the same of mapped sections with one name, as the tables that a loader reads
/// before any code have no symbols; and the symbols of one name in parts that have many. Linkers mostly keep
/// the order of what they link, so `version_map` finds most of them in the same order. None if they are for
/// different machines.
[[nodiscard]] std::vector<version_anchor> common_anchors(const elf_version& before, const elf_version& now);

}  // namespace firstlight
