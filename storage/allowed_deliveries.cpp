#include "storage/allowed_deliveries.hpp"

#include <charconv>
#include <span>

namespace firstlight {
namespace {

constexpr table allowed_table{"allowed"};  // toc id and node: seconds since the epoch, decimal
constexpr std::size_t toc_bytes = sizeof(digest);

}  // namespace

result<void> allowed_deliveries::note(const allowed_delivery& delivery) {
  return metadata_.put(allowed_table, std::string(as_key(delivery.toc.value)) + delivery.node,
                       std::to_string(delivery.at));
}

result<std::vector<allowed_delivery>> allowed_deliveries::since(std::int64_t oldest) {
  std::vector<allowed_delivery> found;
  write_batch forgotten;
  const auto scanned = metadata_.scan(allowed_table, {}, [&](std::string_view key, std::string_view value) {
    std::int64_t at = 0;
    const auto parsed = std::from_chars(value.data(), value.data() + value.size(), at);
    const auto toc = digest_from_bytes(std::as_bytes(std::span(key.substr(0, toc_bytes))));
    if (parsed.ec == std::errc{} && toc && at >= oldest)
      found.push_back({std::string(key.substr(toc_bytes)), toc_id{*toc}, at});
    else
      forgotten.erase(allowed_table, std::string(key));
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  if (auto gone = metadata_.write(forgotten); !gone) return tl::unexpected(gone.error());
  return found;
}

}  // namespace firstlight
