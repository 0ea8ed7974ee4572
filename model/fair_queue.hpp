#pragma once
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace firstlight {

/// FAIR QUEUE: what waits for one of a few places. Owners (hosts, say) take turns, and none has more places
/// than its share, so that the others do not wait for a slow one. What one owner adds keeps its order. Owned
/// by one actor.
template <class Item>
class fair_queue {
 public:
  /// Both above 0.
  fair_queue(std::size_t places, std::size_t share) : places_(places), share_(share) {}

  void add(const std::string& owner, Item item) { owners_[owner].waiting.push_back(std::move(item)); }

  /// Takes the next out if there is a place for it; it has the place until `done`.
  [[nodiscard]] std::optional<std::pair<std::string, Item>> take() {
    if (taken_ >= places_) return std::nullopt;
    auto at = owners_.upper_bound(last_);
    for (std::size_t seen = 0; seen < owners_.size(); ++seen, ++at) {
      if (at == owners_.end()) at = owners_.begin();
      auto& [owner, own] = *at;
      if (own.waiting.empty() || own.taken >= share_) continue;
      ++taken_;
      ++own.taken;
      last_ = owner;
      std::pair<std::string, Item> next(owner, std::move(own.waiting.front()));
      own.waiting.pop_front();
      return next;
    }
    return std::nullopt;
  }

  /// One that was taken of this owner has left its place.
  void done(const std::string& owner) {
    const auto own = owners_.find(owner);
    --taken_;
    if (--own->second.taken == 0 && own->second.waiting.empty()) owners_.erase(own);
  }

 private:
  struct part {
    std::deque<Item> waiting;
    std::size_t taken = 0;
  };
  std::size_t places_;
  std::size_t share_;
  std::size_t taken_ = 0;
  std::map<std::string, part> owners_;  ///< those that wait or have a place
  std::string last_;                    ///< whose turn it was
};

}  // namespace firstlight
