#include "storage/holdings.hpp"

namespace firstlight {

had_image holdings_of(const toc_id& id, const toc_view& toc, const content_store& store) {
  block_set complete(toc.content_count());
  had_image had{id, {}, {}};
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) {
    const auto content = toc.content(i);
    const auto state = store.state(content.id);
    if (state == content_state::complete) complete.insert(i, 1);
    if (state != content_state::partial) continue;
    const auto blocks = store.blocks(content);
    const auto words = blocks.words();
    if (!blocks.empty()) had.partials.push_back({i, {words.begin(), words.end()}});
  }
  had.complete.assign(complete.words().begin(), complete.words().end());
  return had;
}

held_bytes measure_held(const toc_view& toc, const content_store& store) {
  held_bytes held;
  const auto geometry = toc.geometry();
  for (std::uint32_t i = 0; i < toc.content_count(); ++i) {
    held.total += toc.content_size(i);
    if (!toc.contents_known()) {
      held.incomplete.push_back(i);
      continue;
    }
    const auto content = toc.content(i);
    const auto state = store.state(content.id);
    if (state == content_state::complete) held.ready += content.size;
    if (state == content_state::complete) continue;
    held.incomplete.push_back(i);
    if (state == content_state::absent) continue;
    const auto blocks = store.blocks(content);
    for (std::uint32_t block = 0; block < blocks.blocks(); ++block)
      if (blocks.contains(block)) held.ready += geometry.length(content.size, block, 1);
  }
  return held;
}

}  // namespace firstlight
