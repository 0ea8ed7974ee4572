#include "model/snapshot_images.hpp"

#include <algorithm>
#include <tuple>

#include "model/labelled_layer.hpp"

namespace firstlight {
namespace {

bool is_remote(const snapshot_record& record) {
  return record.remote.has_value();
}

/// All snapshots of the hub's layers, as long as the index does not change.
class remote_chains {
 public:
  explicit remote_chains(const snapshot_index& index) {
    index.each([&](const snapshot_record& record) {
      if (is_remote(record)) by_name_.emplace(record.name, &record);
    });
    for (const auto& [name, record] : by_name_)
      if (const auto* lower = next_lower(*record)) continued_.insert(lower->name);
  }

  /// The snapshot below, if it has all layers of this one's image but the highest of these. One that
  /// containerd has unpacked proves nothing of what is below it.
  [[nodiscard]] const snapshot_record* next_lower(const snapshot_record& of) const {
    const auto found = by_name_.find(of.parent);
    if (found == by_name_.end()) return nullptr;
    const auto& lower = *found->second->remote;
    const bool fits = lower.layers + 1 == of.remote->layers && lower.platform == of.remote->platform;
    return fits ? found->second : nullptr;
  }

  [[nodiscard]] bool holds_its_image(const snapshot_record& record) const {
    return !is_inner(*record.remote) || !continued_.contains(record.name);
  }

  void each(const std::function<void(const snapshot_record&)>& visit) const {
    for (const auto& [name, record] : by_name_) visit(*record);
  }

 private:
  std::map<std::string_view, const snapshot_record*> by_name_;
  std::set<std::string_view> continued_;  // have a snapshot above them whose image begins as they do
};

/// Runs `visit` with the nearest remote snapshot below each active one and each view that has one.
void each_used(const snapshot_index& index, const std::function<void(const snapshot_record&)>& visit) {
  index.each([&](const snapshot_record& record) {
    if (record.kind == snapshot_kind::committed) return;
    const auto parents = index.parents(record);
    const auto nearest = std::find_if(parents.begin(), parents.end(), is_remote);
    if (nearest != parents.end()) visit(*nearest);
  });
}

/// Inner snapshots by name, each with one that holds an image which begins as they do.
std::map<std::string, const snapshot_record*> holders_above(const remote_chains& chains) {
  const auto rank = [](const snapshot_record& holder) {
    return std::tuple(!is_inner(*holder.remote), holder.id);
  };
  std::map<std::string, const snapshot_record*> best;
  chains.each([&](const snapshot_record& holder) {
    if (!chains.holds_its_image(holder)) return;
    for (const auto* at = chains.next_lower(holder); at != nullptr; at = chains.next_lower(*at)) {
      auto& chosen = best[at->name];
      if (chosen == nullptr || rank(*chosen) < rank(holder)) chosen = &holder;
    }
  });
  return best;
}

snapshot_record shown_by(snapshot_record inner, const remote_layers& other) {
  const auto layers = inner.remote->layers;
  inner.remote = other;
  inner.remote->layers = layers;
  return inner;
}

}  // namespace

bool is_inner(const remote_layers& what) {
  return what.layers != what.of;
}

std::string inner_reference(const remote_layers& what) {
  return pinned_reference(what.reference, what.manifest).value_or(what.reference) + "#" +
         std::to_string(what.layers);
}

std::optional<remote_layers> remote_below(const std::vector<snapshot_record>& parents) {
  const auto found = std::find_if(parents.begin(), parents.end(), is_remote);
  return found == parents.end() ? std::nullopt : found->remote;
}

void snapshot_needs::add(const remote_layers& what) {
  references.insert(what.reference);
  manifests.insert(what.manifest);
}

snapshot_needs snapshot_needs_of(const snapshot_index& index) {
  snapshot_needs needs;
  const remote_chains chains(index);
  chains.each([&](const snapshot_record& record) {
    if (chains.holds_its_image(record)) needs.add(*record.remote);
  });
  each_used(index, [&](const snapshot_record& used) {
    if (is_inner(*used.remote)) needs.references.insert(inner_reference(*used.remote));
  });
  return needs;
}

std::vector<snapshot_record> shown_by_others(const snapshot_index& index,
                                             const std::function<bool(const remote_layers&)>& spared) {
  const remote_chains chains(index);
  std::set<digest> held;
  chains.each([&](const snapshot_record& record) {
    if (chains.holds_its_image(record)) held.insert(record.remote->manifest);
  });
  std::map<std::string, snapshot_record> orphans;
  chains.each([&](const snapshot_record& record) {
    if (!held.contains(record.remote->manifest) && !spared(*record.remote))
      orphans.emplace(record.name, record);
  });
  if (orphans.empty()) return {};
  each_used(index, [&](const snapshot_record& used) { orphans.erase(used.name); });
  const auto holders = holders_above(chains);
  std::vector<snapshot_record> changed;
  for (auto& [name, record] : orphans)
    if (const auto holder = holders.find(name); holder != holders.end())
      changed.push_back(shown_by(std::move(record), *holder->second->remote));
  return changed;
}

}  // namespace firstlight
