#include <algorithm>

#include "storage/image_catalogue.hpp"

namespace firstlight {

result<image_catalogue::dated_tocs> image_catalogue::unnamed() const {
  const auto records = list_whole();
  if (!records) return tl::unexpected(records.error());
  std::set<toc_id> named;
  for (const auto& record : *records) named.insert(record.toc);
  dated_tocs found;
  std::error_code ignored;  // what cannot be looked at stays
  for (const auto& file : std::filesystem::directory_iterator(folder_ / "tocs", ignored)) {
    const auto id = parse_hex_digest(file.path().stem().string());
    if (file.path().extension() == ".tree" && id && !named.contains({*id}))
      found.emplace_back(file.last_write_time(ignored), toc_id{*id});
  }
  return found;
}

result<std::uint32_t> image_catalogue::forget_unnamed() {
  auto tocs = unnamed();
  if (!tocs) return tl::unexpected(tocs.error());
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(*tocs, [this](const auto& toc) { return find_open(toc.second) != nullptr; });
  }
  std::sort(tocs->rbegin(), tocs->rend());
  tocs->erase(tocs->begin(),
              tocs->begin() + std::min<std::ptrdiff_t>(limits_.unnamed_kept_max, std::ssize(*tocs)));
  return forget_tocs(*tocs);
}

result<std::uint32_t> image_catalogue::forget_unnamed(const std::set<toc_id>& used) {
  auto tocs = unnamed();
  if (!tocs) return tl::unexpected(tocs.error());
  std::erase_if(*tocs, [&](const auto& toc) { return used.contains(toc.second); });
  return forget_tocs(*tocs);
}

}  // namespace firstlight
