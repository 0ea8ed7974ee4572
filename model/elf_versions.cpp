#include "model/elf_versions.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

namespace firstlight {
namespace {

void add_parts(std::span<const loaded_segment> before, std::span<const loaded_segment> now,
               std::vector<version_anchor>& anchors) {
  const bool same = std::equal(before.begin(), before.end(), now.begin(), now.end(),
                               [](const auto& a, const auto& b) { return a.use == b.use; });
  if (!same) return;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto &was = before[i].range, &is = now[i].range;
    anchors.push_back({was.offset, is.offset});
    anchors.push_back({was.offset + was.length, is.offset + is.length});
  }
}

void add_symbols(std::span<const elf_symbol> before, std::span<const elf_symbol> now,
                 std::vector<version_anchor>& anchors) {
  std::unordered_map<std::string_view, std::uint64_t> places;  // of several with one name the first
  for (const auto& symbol : now) places.try_emplace(symbol.name, symbol.offset);
  for (const auto& symbol : before)
    if (const auto place = places.find(symbol.name); place != places.end())
      anchors.push_back({symbol.offset, place->second});
}

}  // namespace

std::vector<version_anchor> common_anchors(const elf_version& before, const elf_version& now) {
  std::vector<version_anchor> anchors;
  if (before.file.machine != now.file.machine || before.file.word_bits != now.file.word_bits) return anchors;
  add_parts(before.file.loaded, now.file.loaded, anchors);
  add_symbols(before.symbols, now.symbols, anchors);
  return anchors;
}

}  // namespace firstlight
