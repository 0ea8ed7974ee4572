#include "storage/image_usage.hpp"

#include <unordered_set>

namespace firstlight {
namespace {

std::uint64_t arrived_bytes(const content_info& content, const toc_view& image, const content_store& store) {
  if (store.state(content.id) == content_state::complete) return content.size;
  const auto blocks = store.blocks(content);
  std::uint64_t bytes = 0;
  for (std::uint32_t block = 0; block < blocks.blocks(); ++block)
    if (blocks.contains(block)) bytes += image.geometry().length(content.size, block, 1);
  return bytes;
}

}  // namespace

snapshot_usage measure_arrived(const toc_view& image, const toc_view* below, const content_store& store) {
  snapshot_usage used;
  if (!image.contents_known()) return used;
  std::unordered_set<content_id> others;
  if (below != nullptr && below->contents_known())
    for (std::uint32_t i = 0; i < below->content_count(); ++i) others.insert(below->content(i).id);
  for (std::uint32_t i = 0; i < image.content_count(); ++i) {
    const auto content = image.content(i);
    if (others.contains(content.id) || store.state(content.id) == content_state::absent) continue;
    used.bytes += arrived_bytes(content, image, store);
    ++used.inodes;
  }
  return used;
}

}  // namespace firstlight
