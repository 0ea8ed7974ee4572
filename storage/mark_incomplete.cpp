#include "storage/mark_incomplete.hpp"

#include "storage/holdings.hpp"

namespace firstlight {

result<std::vector<std::string>> mark_incomplete(image_catalogue& catalogue, const content_store& contents) {
  const auto records = catalogue.list();
  if (!records) return tl::unexpected(records.error());
  std::vector<std::string> lacking;
  for (const auto& record : *records) {
    if (!record.complete) continue;
    const auto toc = catalogue.toc(record.toc);
    if (!toc || measure_held(**toc, contents).incomplete.empty()) continue;
    const auto changed = catalogue.change(record.reference, record.platform,
                                          [](image_record& image) { image.complete = false; });
    if (!changed) return tl::unexpected(changed.error());
    lacking.push_back(record.reference);
  }
  return lacking;
}

}  // namespace firstlight
