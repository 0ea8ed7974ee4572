#include "storage/trace_switches.hpp"

#include <charconv>

namespace firstlight {
namespace {

constexpr table switches_table{"trace-switch"};
constexpr table starts_table{"trace-starts"};

std::string key_of(trace_switches::subject of, const std::string& name) {
  return std::string(1, static_cast<char>('0' + static_cast<int>(of))) + name;
}

}  // namespace

result<void> trace_switches::set(subject of, const std::string& name, state wanted) {
  return metadata_.put(switches_table, key_of(of, name), wanted == state::on ? "on" : "off",
                       durability::synced);
}

result<std::optional<trace_switches::state>> trace_switches::find(const std::string& image,
                                                                  const std::string& group) const {
  for (const auto& key :
       {key_of(subject::image, image), key_of(subject::group, group), key_of(subject::all, "")}) {
    const auto said = metadata_.get(switches_table, key);
    if (!said) return tl::unexpected(said.error());
    if (*said) return **said == "on" ? state::on : state::off;
  }
  return std::nullopt;
}

result<std::uint64_t> trace_switches::count_start(const toc_id& image) {
  const auto stored = metadata_.get(starts_table, as_key(image.value));
  if (!stored) return tl::unexpected(stored.error());
  std::uint64_t starts = 0;
  if (*stored) std::from_chars((*stored)->data(), (*stored)->data() + (*stored)->size(), starts);
  ++starts;
  if (auto put = metadata_.put(starts_table, as_key(image.value), std::to_string(starts)); !put)
    return tl::unexpected(put.error());
  return starts;
}

}  // namespace firstlight
