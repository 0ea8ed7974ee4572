#include "storage/evict_images.hpp"

#include <algorithm>
#include <unordered_map>

namespace firstlight {
namespace {

/// Of each content, how many images have it.
class content_uses {
 public:
  explicit content_uses(const image_catalogue& catalogue) : catalogue_(catalogue) {}

  void add(const toc_view& toc) {
    if (!toc.contents_known()) return;  // then none has arrived
    for (std::uint32_t i = 0; i < toc.content_count(); ++i) ++counts_[toc.content(i).id];
  }
  result<void> add(const image_record& record) {
    return for_each(record, [this](const content_info& content) { ++counts_[content.id]; });
  }
  /// @returns what no other image has.
  result<std::vector<content_info>> take(const image_record& record) {
    std::vector<content_info> last;
    auto taken = for_each(record, [&](const content_info& content) {
      if (--counts_[content.id] == 0) last.push_back(content);
    });
    if (!taken) return tl::unexpected(taken.error());
    return last;
  }

 private:
  template <class Visit>
  result<void> for_each(const image_record& record, Visit visit) const {
    const auto toc = catalogue_.toc(record.toc);
    // A lost one names nothing that could be kept or removed.
    if (!toc) return toc_is_lost(toc.error().code) ? result<void>{} : tl::unexpected(toc.error());
    for (std::uint32_t i = 0; i < (*toc)->content_count(); ++i) visit((*toc)->content(i));
    return {};
  }

  const image_catalogue& catalogue_;
  std::unordered_map<content_id, std::uint32_t> counts_;
};

}  // namespace

result<eviction> evict_images(image_catalogue& catalogue, content_store& contents,
                              const eviction_request& request) {
  eviction done;
  const auto small_enough = [&] {
    return request.bytes_max > 0 && contents.bytes_stored() <= request.bytes_max;
  };
  if (small_enough()) return done;
  auto records = catalogue.list();
  if (!records) return tl::unexpected(records.error());
  content_uses uses(catalogue);
  for (const auto& record : *records)
    if (auto added = uses.add(record); !added) return tl::unexpected(added.error());
  for (const auto& toc : request.in_use) uses.add(*toc);
  std::erase_if(*records, request.needed);
  std::stable_sort(records->begin(), records->end(), [](const image_record& a, const image_record& b) {
    return a.last_used_at < b.last_used_at;
  });
  for (const auto& record : *records) {
    if (small_enough()) break;
    const auto loose = uses.take(record);
    if (!loose) return tl::unexpected(loose.error());
    // First the record: contents without one are swept, a record without contents would be fetched again.
    if (auto gone = catalogue.remove(record.reference, record.platform); !gone)
      return tl::unexpected(gone.error());
    done.images.push_back(record);
    for (const auto& content : *loose) {
      if (contents.state(content.id) == content_state::absent) continue;
      if (auto gone = contents.remove(content.id); !gone) return tl::unexpected(gone.error());
      done.bytes_removed += content.size;
    }
  }
  return done;
}

}  // namespace firstlight
