#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace firstlight {

/// WARM-UP TURNS: nodes that come from one address share its link. Warm-ups at the same time would each
/// measure only their share of it, so they take turns; and padding would stand before what another node is
/// sent, so nobody has a turn while the link is in use. Any thread.
class warmup_turns {
 public:
  /// Keeps the turn, or the link in use, until it is gone.
  using turn = std::shared_ptr<const void>;

  /// @returns nothing while somebody from that address has it, or is sent useful bytes.
  [[nodiscard]] turn take(const std::string& host);

  /// Somebody from that address is sent useful bytes from now on.
  [[nodiscard]] turn use(const std::string& host);

  /// Whether useful bytes are on the way to that address: who has the turn gives it back.
  [[nodiscard]] bool in_use(const std::string& host);

 private:
  using holders = std::map<std::string, std::weak_ptr<const void>>;

  std::mutex mutex_;
  holders taken_;
  holders used_;
};

}  // namespace firstlight
