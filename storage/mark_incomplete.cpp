#include "storage/mark_incomplete.hpp"

#include "storage/holdings.hpp"

namespace firstlight {
namespace {

constexpr table starts_table{"start"};
/// From before the contents are opened until what they have lost is noted at the images.
constexpr std::string_view unchecked_key = "unchecked";

}  // namespace

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

result<loss_check> loss_check::begin(database& metadata) {
  const auto left = metadata.get(starts_table, unchecked_key);
  if (!left) return tl::unexpected(left.error());
  if (auto noted = metadata.put(starts_table, unchecked_key, "", durability::synced); !noted)
    return tl::unexpected(noted.error());
  return loss_check(metadata, left->has_value());
}

result<std::vector<std::string>> loss_check::finish(image_catalogue& catalogue,
                                                    const content_store& contents) {
  std::vector<std::string> lacking;
  if (contents.lost_at_opening() > 0 || left_unfinished_) {
    auto marked = mark_incomplete(catalogue, contents);
    if (!marked) return marked;
    lacking = std::move(*marked);
  }
  // Makes what was marked durable with it.
  if (auto done = metadata_.erase(starts_table, unchecked_key, durability::synced); !done)
    return tl::unexpected(done.error());
  return lacking;
}

}  // namespace firstlight
