#include "model/elf_versions.hpp"

#include <algorithm>
#include <iterator>
#include <map>
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

void add_sections(std::span<const elf_section> before, std::span<const elf_section> now,
                  std::vector<version_anchor>& anchors) {
  std::unordered_map<std::string_view, byte_range> places;  // of several with one name the first
  for (const auto& section : now)
    if (section.mapped) places.try_emplace(section.name, section.range);
  for (const auto& section : before) {
    const auto place = places.find(section.name);
    if (!section.mapped || section.name.empty() || place == places.end()) continue;
    const auto &was = section.range, &is = place->second;
    anchors.push_back({was.offset, is.offset});
    anchors.push_back({was.offset + was.length, is.offset + is.length});
  }
}

/// Few symbols in a large part say little: constants have hardly any, and those may have moved by themselves.
constexpr std::uint64_t bytes_per_symbol_max = 16 * 1024;

/// Each symbol counts for one part, also where a damaged file says that parts overlap.
void add_symbols(const elf_version& before, const elf_version& now, std::vector<version_anchor>& anchors) {
  std::map<std::uint64_t, std::uint64_t> parts;  // lengths by offset
  for (const auto& part : before.file.loaded) parts.emplace(part.range.offset, part.range.length);
  std::unordered_map<std::string_view, std::uint64_t> places;  // of several with one name the first
  for (const auto& symbol : now.symbols.all) places.try_emplace(symbol.name, symbol.offset);
  std::map<std::uint64_t, std::vector<version_anchor>> by_part;
  for (const auto& symbol : before.symbols.all) {
    const auto behind = parts.upper_bound(symbol.offset);
    if (behind == parts.begin()) continue;
    if (const auto place = places.find(symbol.name); place != places.end())
      by_part[std::prev(behind)->first].push_back({symbol.offset, place->second});
  }
  for (const auto& [offset, of_part] : by_part)
    if (of_part.size() * bytes_per_symbol_max >= parts.at(offset))
      anchors.insert(anchors.end(), of_part.begin(), of_part.end());
}

}  // namespace

std::vector<version_anchor> common_anchors(const elf_version& before, const elf_version& now) {
  std::vector<version_anchor> anchors;
  if (before.file.machine != now.file.machine || before.file.word_bits != now.file.word_bits) return anchors;
  add_parts(before.file.loaded, now.file.loaded, anchors);
  add_sections(before.sections, now.sections, anchors);
  add_symbols(before, now, anchors);
  return anchors;
}

}  // namespace firstlight
