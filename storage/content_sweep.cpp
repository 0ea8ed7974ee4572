#include "storage/content_sweep.hpp"

#include <unordered_set>

namespace firstlight {

result<sweep_result> sweep_contents(const image_catalogue& catalogue, content_store& contents,
                                    const std::atomic<bool>* stop) {
  auto records = catalogue.list_whole();
  if (!records) return tl::unexpected(records.error());
  std::unordered_set<content_id> needed;
  for (const auto& record : *records) {
    auto toc = catalogue.toc(record.toc);
    if (!toc) return tl::unexpected(toc.error());
    for (std::uint32_t i = 0; i < (*toc)->content_count(); ++i) needed.insert((*toc)->content(i).id);
  }
  std::vector<content_info> loose;
  contents.for_each([&](const content_info& content, content_state) {
    if (!needed.contains(content.id)) loose.push_back(content);
  });
  sweep_result removed;
  for (const auto& content : loose) {
    if (stop != nullptr && stop->load()) return fail(errc::cancelled, "the sweep was stopped");
    if (auto gone = contents.remove(content.id); !gone) return tl::unexpected(gone.error());
    ++removed.contents_removed;
    removed.bytes_removed += content.size;
  }
  return removed;
}

}  // namespace firstlight
