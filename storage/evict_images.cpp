#include "storage/evict_images.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <unordered_map>

namespace firstlight {
namespace {

/// Of each content, how many images have it.
class content_uses {
 public:
  explicit content_uses(const image_catalogue& catalogue) : catalogue_(catalogue) {}

  void add(const toc_view& toc) {
    all_known_ = all_known_ && toc.contents_known();
    if (!toc.contents_known()) return;
    for (std::uint32_t i = 0; i < toc.content_count(); ++i) ++counts_[toc.content(i).id];
  }
  result<void> add(const image_record& record) {
    const auto toc = catalogue_.toc(record.toc);
    if (toc)
      add(**toc);
    else if (!toc_is_lost(toc.error().code))
      return tl::unexpected(toc.error());
    else
      all_known_ = all_known_ && has_come_in_part(record.toc);
    return {};
  }
  /// Whether each image has been counted with all that it needs.
  [[nodiscard]] bool all_known() const { return all_known_; }
  [[nodiscard]] bool has(const content_id& content) const { return counts_.contains(content); }
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

  /// None of its contents can have come before their ids.
  [[nodiscard]] bool has_come_in_part(const toc_id& id) const {
    std::error_code ignored;
    return catalogue_.tree(id) &&
           !std::filesystem::exists(catalogue_.toc_path(id, toc_part::contents), ignored);
  }

  const image_catalogue& catalogue_;
  std::unordered_map<content_id, std::uint32_t> counts_;
  bool all_known_ = true;
};

result<void> remove_all(content_store& contents, const std::vector<content_info>& loose, eviction& done) {
  for (const auto& content : loose) {
    if (contents.state(content.id) == content_state::absent) continue;
    if (auto gone = contents.remove(content.id); !gone) return gone;
    done.bytes_removed += content.size;
  }
  return {};
}

/// Forgets the TOCs that no record names, as long as all records can be read. @returns the contents likewise
result<std::vector<content_info>> forget_unnamed(image_catalogue& catalogue, const content_store& contents,
                                                 const content_uses& uses,
                                                 const std::vector<used_image>& in_use) {
  const auto damaged = catalogue.unreadable();
  if (!damaged) return tl::unexpected(damaged.error());
  std::vector<content_info> loose;
  if (!damaged->empty() || !uses.all_known()) return loose;
  std::set<toc_id> tocs;
  for (const auto& image : in_use) tocs.insert(image.id);
  if (auto gone = catalogue.forget_unnamed(tocs); !gone) return tl::unexpected(gone.error());
  contents.for_each([&](const content_info& content, content_state) {
    if (!uses.has(content.id)) loose.push_back(content);
  });
  return loose;
}

}  // namespace

result<eviction> evict_images(image_catalogue& catalogue, content_store& contents,
                              const eviction_request& request) {
  eviction done;
  const auto small_enough = [&] {
    return request.bytes_max > 0 && contents.bytes_stored() <= request.bytes_max;
  };
  auto records = catalogue.list();
  if (!records) return tl::unexpected(records.error());
  content_uses uses(catalogue);
  for (const auto& record : *records)
    if (auto added = uses.add(record); !added) return tl::unexpected(added.error());
  for (const auto& image : request.in_use) uses.add(*image.toc);
  const auto unnamed = forget_unnamed(catalogue, contents, uses, request.in_use);
  if (!unnamed) return tl::unexpected(unnamed.error());
  if (auto gone = remove_all(contents, *unnamed, done); !gone) return tl::unexpected(gone.error());
  if (small_enough()) return done;
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
    if (auto gone = remove_all(contents, *loose, done); !gone) return tl::unexpected(gone.error());
  }
  return done;
}

}  // namespace firstlight
