#include "storage/trace_switches.hpp"

#include <charconv>

namespace firstlight {
namespace {

constexpr table switches_table{"trace-switch"};
constexpr table starts_table{"trace-starts"};

std::string key_of(trace_switches::subject of, const std::string& name) {
  return std::string(1, static_cast<char>('0' + static_cast<int>(of))) + name;
}

trace_switches::state state_of(std::string_view said) {
  return said == "on" ? trace_switches::state::on : trace_switches::state::off;
}

}  // namespace

result<void> trace_switches::set(subject of, const std::string& name, state wanted) {
  return metadata_.put(switches_table, key_of(of, name), wanted == state::on ? "on" : "off",
                       durability::synced);
}

result<void> trace_switches::clear(subject of, const std::string& name) {
  return metadata_.erase(switches_table, key_of(of, name), durability::synced);
}

result<std::vector<trace_switches::word>> trace_switches::list() const {
  std::vector<word> words;
  auto scanned = metadata_.scan(switches_table, "", [&](std::string_view key, std::string_view value) {
    for (const auto of : {subject::all, subject::image, subject::group})
      if (const auto start = key_of(of, ""); key.starts_with(start))
        words.push_back({of, std::string(key.substr(start.size())), state_of(value)});
    return scan_step::next;
  });
  if (!scanned) return tl::unexpected(scanned.error());
  return words;
}

result<std::optional<trace_switches::state>> trace_switches::find(const std::string& image,
                                                                  const std::string& group) const {
  for (const auto& key :
       {key_of(subject::image, image), key_of(subject::group, group), key_of(subject::all, "")}) {
    const auto said = metadata_.get(switches_table, key);
    if (!said) return tl::unexpected(said.error());
    if (*said) return state_of(**said);
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
