#pragma once
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace firstlight {

/// RESTING DELIVERIES: which of a node's deliveries may write to its store. One that waits for the hub, or
/// has failed, rests: it writes nothing until it is woken. What arrives may be a patch against anything that
/// is there, so images are evicted only while none may write. `Delivery` names one; `Image` is what has
/// arrived of its image, which stays as long as it rests. Owned by one actor.
template <class Delivery, class Image>
class resting_deliveries {
 public:
  /// It has been started: it may write.
  void begin(const Delivery& delivery) { all_.insert_or_assign(delivery, state{}); }
  /// @returns whether it had begun; else nothing changes.
  bool end(const Delivery& delivery) { return all_.erase(delivery) > 0; }

  /// From now on it writes nothing. @returns false, and nothing changes, if it has ended.
  bool rest(const Delivery& delivery, std::optional<Image> arrived) {
    const auto found = all_.find(delivery);
    if (found == all_.end()) return false;
    found->second = {true, std::move(arrived)};
    return true;
  }
  /// From now on it may write again, unless it has ended.
  void wake(const Delivery& delivery) {
    if (const auto found = all_.find(delivery); found != all_.end()) found->second = {};
  }

  [[nodiscard]] bool rests(const Delivery& delivery) const {
    const auto found = all_.find(delivery);
    return found != all_.end() && found->second.rests;
  }
  /// Of the image of one that rests; nullptr if nothing has arrived, or it does not rest.
  [[nodiscard]] const Image* arrived(const Delivery& delivery) const {
    const auto found = all_.find(delivery);
    return found != all_.end() && found->second.arrived ? &*found->second.arrived : nullptr;
  }
  [[nodiscard]] bool any_writes() const {
    return std::any_of(all_.begin(), all_.end(), [](const auto& one) { return !one.second.rests; });
  }
  /// Whether all have ended.
  [[nodiscard]] bool empty() const { return all_.empty(); }

 private:
  struct state {
    bool rests = false;
    std::optional<Image> arrived{};  ///< only while it rests
  };
  std::map<Delivery, state> all_;  ///< those that have not ended
};

}  // namespace firstlight
