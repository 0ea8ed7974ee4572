#include "fuse_bridge/hybrid/content_node.hpp"

namespace firstlight::content_node {
namespace {

constexpr std::uint64_t id_bit = std::uint64_t{1} << 63U;
constexpr std::uint64_t early_bit = std::uint64_t{1} << 62U;

}  // namespace

std::uint64_t of(const content_id& id) {
  std::uint64_t leading = 0;
  for (std::size_t i = 0; i < sizeof leading; ++i)
    leading = leading << 8U | std::to_integer<std::uint64_t>(id.root.bytes.at(i));
  return leading >> 1U | id_bit;
}

std::uint64_t of(const early_content& content) {
  return early_bit | std::uint64_t{content.toc_mark} << 32U | content.content;
}

bool says_id(std::uint64_t node) {
  return (node & id_bit) != 0;
}

std::optional<early_content> early(std::uint64_t node) {
  if (says_id(node) || (node & early_bit) == 0) return std::nullopt;
  return early_content{static_cast<std::uint32_t>((node ^ early_bit) >> 32U),
                       static_cast<std::uint32_t>(node)};
}

std::uint8_t first_byte(std::uint64_t node) {
  return static_cast<std::uint8_t>((node ^ id_bit) >> 55U);
}

}  // namespace firstlight::content_node
