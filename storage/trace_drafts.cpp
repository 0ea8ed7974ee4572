#include "storage/trace_drafts.hpp"

#include "schemas/trace_codec.hpp"

namespace firstlight {
namespace {

constexpr table drafts_table{"trace-draft"};  // trace id: the trace so far

}  // namespace

result<void> trace_drafts::keep(const trace& so_far) {
  const auto bytes = encode_trace(so_far);
  return metadata_.put(drafts_table, as_key(so_far.id.value),
                       {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

result<void> trace_drafts::drop(const trace_id& id) {
  return metadata_.erase(drafts_table, as_key(id.value));
}

result<std::vector<trace>> trace_drafts::left(const std::function<void(const error&)>& damaged) {
  std::vector<trace> found;
  write_batch unreadable;
  auto scanned = metadata_.scan(drafts_table, "", [&](std::string_view key, std::string_view value) {
    if (auto one = decode_trace({reinterpret_cast<const std::byte*>(value.data()), value.size()})) {
      found.push_back(std::move(*one));
    } else {
      damaged(one.error());
      unreadable.erase(drafts_table, key);
    }
    return scan_step::next;
  });
  if (scanned && !unreadable.empty()) scanned = metadata_.write(unreadable);
  if (!scanned) return tl::unexpected(scanned.error());
  return found;
}

}  // namespace firstlight
