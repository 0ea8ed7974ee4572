#include "model/access_cache.hpp"

#include <algorithm>

namespace firstlight {
namespace {

bool within(instant since, instant now, std::chrono::milliseconds limit) {
  return now - since < limit;
}

/// Makes room for one more: what is too old to count goes, or the oldest.
template <class Map, class At>
void make_room(Map& all, std::uint32_t entries_max, std::chrono::milliseconds counts, instant now, At at) {
  if (all.size() < entries_max) return;
  std::erase_if(all, [&](const auto& one) { return !within(at(one.second), now, counts); });
  if (all.size() < entries_max) return;
  all.erase(std::min_element(all.begin(), all.end(), [&](const auto& one, const auto& other) {
    return at(one.second) < at(other.second);
  }));
}

}  // namespace

std::optional<std::optional<error>> access_cache::answer(const access_key& key, instant now) const {
  const auto found = images_.find({key.login, key.image});
  if (found == images_.end()) return std::nullopt;
  const auto& known = found->second;
  if (!within(known.at, now, known.refusal ? times_.refused : times_.allowed)) return std::nullopt;
  return known.refusal;
}

bool access_cache::allowed_before(const access_key& key, instant now) const {
  const auto found = repositories_.find({key.login, key.repository});
  return found != repositories_.end() && !found->second.refusal && within(found->second.at, now, times_.away);
}

void access_cache::note(const access_key& key, const std::optional<error>& refusal, instant now) {
  note(images_, {key.login, key.image}, refusal, now);
  const bool of_all =
      !refusal || refusal->code == errc::denied;  // that one is missing says nothing of others
  if (of_all) note(repositories_, {key.login, key.repository}, refusal, now);
}

void access_cache::note(answers& all, const std::pair<digest, std::string>& what,
                        const std::optional<error>& refusal, instant now) const {
  if (!all.contains(what))
    make_room(all, times_.entries_max, std::max(times_.away, times_.allowed), now,
              [](const entry& one) { return one.at; });
  all.insert_or_assign(what, entry{refusal, now});
}

void access_cache::note_delivery(const std::string& node, const toc_id& toc, instant now) {
  if (!deliveries_.contains({node, toc}))
    make_room(deliveries_, times_.entries_max, times_.resumed, now, [](instant one) { return one; });
  deliveries_.insert_or_assign({node, toc}, now);
}

bool access_cache::may_go_on(const std::string& node, const toc_id& toc, instant now) const {
  const auto found = deliveries_.find({node, toc});
  return found != deliveries_.end() && within(found->second, now, times_.resumed);
}

}  // namespace firstlight
