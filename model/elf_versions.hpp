#pragma once
#include <span>

#include "model/elf_symbols.hpp"
#include "model/version_map.hpp"

namespace firstlight {

/// What of an ELF file tells where its parts stand.
struct elf_version {
  elf_file file;
  std::vector<elf_symbol> symbols;
};

/// Places that two versions of a program or library have in common: where their mapped parts begin and end,
/// if they have the same parts, and the symbols of one name. Linkers mostly keep the order of what they
/// link, so `version_map` finds most of them in the same order. Nothing if either is none for the other's
/// machine.
[[nodiscard]] std::vector<version_anchor> common_anchors(const elf_version& before, const elf_version& now);

}  // namespace firstlight
