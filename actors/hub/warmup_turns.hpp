#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace firstlight {

/// WARM-UP TURNS: nodes that come from one address share its link, and warm-ups at the same time would each
/// measure only their share of it. So they take turns. Any thread.
class warmup_turns {
 public:
  /// Keeps the turn until it is gone.
  using turn = std::shared_ptr<const void>;

  /// @returns nothing while somebody from that address has it.
  [[nodiscard]] turn take(const std::string& host);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const void>> taken_;
};

}  // namespace firstlight
